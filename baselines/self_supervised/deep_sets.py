"""An encoder that has no order of hidden units to see: sets of units that hear their neighbours.

A unit starts from what is its own, hears through each connection from the unit at its other end,
and takes the mean of what it hears. Layers are described by mean and maximum over their units.
Inputs and classes have an order that means something and keep it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from baselines.self_supervised.settings import Settings
from zoogen import Layout, Slot, ZooError


@dataclass(frozen=True)
class Layer:
    """One layer of the networks to embed.

    Attributes:
        weight: Where its weights lie; units along the first axis, what they hear along the second.
        bias: Where its biases lie, if it has any.
        inputs: Units of the layer before that may change places; 1 for the images, all of which a
            unit hears through one connection.
    """

    weight: Slot
    bias: Slot | None
    inputs: int

    @property
    def units(self) -> int:
        """How many there are."""
        return self.weight.shape[0]

    @property
    def scalars(self) -> int:
        """Weights of one connection: a kernel, or one for each pixel of a flattened channel."""
        return self.weight.size // (self.units * self.inputs)

    @property
    def own(self) -> int:
        """Numbers a unit starts from."""
        return 1 + (self.bias is not None) + (self.scalars if self.inputs == 1 else 0)

    def connections(
        self, vectors: Float[Tensor, "batch params"]
    ) -> Float[Tensor, "batch _units _inputs _scalars"]:
        """Read the weights of every connection."""
        return vectors[:, self.weight.slice].view(len(vectors), self.units, self.inputs, -1)

    def starts(self, vectors: Float[Tensor, "batch params"]) -> Float[Tensor, "batch _units _own"]:
        """Read what is a unit's own: the size of its weights, its bias, its view of the images."""
        incoming = self.connections(vectors).flatten(2)
        parts = [incoming.square().mean(dim=2, keepdim=True).sqrt()]
        if self.bias is not None:
            parts.append(vectors[:, self.bias.slice, None])
        if self.inputs == 1:
            parts.append(incoming)
        return torch.cat(parts, dim=2)


def chained(layout: Layout) -> tuple[Layer, ...]:
    """Return the layers of a network each of which feeds the next and no other.

    Raises:
        ZooError: If the tensors are not the weights and biases of such layers, or there is but one.
    """
    shapes = layout.shapes
    names = [name.removesuffix(".weight") for name in shapes if name.endswith(".weight")]
    layers: list[Layer] = []
    for name in names:
        weight = layout[f"{name}.weight"]
        inputs = layers[-1].units if layers else 1
        if len(weight.shape) < 2 or weight.shape[1] % inputs:
            raise no_chain(layout, f"{weight.name} {weight.shape} cannot hear {inputs} units")
        bias = layout[f"{name}.bias"] if f"{name}.bias" in shapes else None
        layers.append(Layer(weight, bias, inputs))
    known = {slot.name for layer in layers for slot in (layer.weight, layer.bias) if slot}
    if others := shapes.keys() - known:
        raise no_chain(layout, f"{min(others)} is neither weight nor bias of a layer")
    if len(layers) < 2:
        raise no_chain(layout, "there is no hidden layer")
    return tuple(layers)


def no_chain(layout: Layout, reason: str) -> ZooError:
    """Say why a network is not layer after layer."""
    return ZooError(
        f"{', '.join(layout.shapes)} are not a chain of layers: {reason}; set tokens=neurons"
    )


class Messages(nn.Module):
    """What units hear: through each connection its weights and the unit at the other end."""

    def __init__(self, scalars: int, width: int) -> None:
        super().__init__()
        self.connection = nn.Linear(scalars, width)
        self.sender = nn.Linear(width, width, bias=False)

    def forward(
        self,
        connections: Float[Tensor, "batch receivers senders scalars"],
        senders: Float[Tensor, "batch senders width"],
    ) -> Float[Tensor, "batch receivers width"]:
        """Take the mean over senders."""
        heard = torch.relu(self.connection(connections) + self.sender(senders)[:, None])
        return heard.mean(dim=2)


class Update(nn.Module):
    """A unit takes in what it heard."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.perceptron = nn.Sequential(
            nn.LayerNorm(2 * width),
            nn.Linear(2 * width, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, width),
        )

    def forward(
        self, units: Float[Tensor, "batch units width"], heard: Float[Tensor, "batch units width"]
    ) -> Float[Tensor, "batch units width"]:
        """Return the units changed."""
        changed: Tensor = self.perceptron(torch.cat([units, heard], dim=2))
        return units + changed


class Sweep(nn.Module):
    """Messages from layer to layer, forth to the last and back to the first."""

    def __init__(self, layers: Sequence[Layer], width: int, hidden: int) -> None:
        super().__init__()
        joints = layers[1:]
        self.forth = nn.ModuleList(Messages(layer.scalars, width) for layer in joints)
        self.back = nn.ModuleList(Messages(layer.scalars, width) for layer in joints)
        self.after_forth = nn.ModuleList(Update(width, hidden) for _ in joints)
        self.after_back = nn.ModuleList(Update(width, hidden) for _ in joints)

    def forward(self, units: list[Tensor], connections: Sequence[Tensor]) -> list[Tensor]:
        """Return the units of all layers, each having heard of all."""
        units = list(units)
        for place, joint in enumerate(connections):
            heard = self.forth[place](joint, units[place])
            units[place + 1] = self.after_forth[place](units[place + 1], heard)
        for place, joint in reversed([*enumerate(connections)]):
            heard = self.back[place](joint.transpose(1, 2), units[place + 1])
            units[place] = self.after_back[place](units[place], heard)
        return units


class SetEncoder(nn.Module):
    """Units, sweeps through the network, then one linear layer from what describes each layer.

    The embedding is the same whatever the order of hidden units, to rounding.

    Args:
        layout: Of the vectors.
        settings: ``width`` of a unit, ``hidden`` of its perceptrons, ``blocks`` of sweeps, ``dim``.

    Raises:
        ZooError: If the layers of the network are no chain.

    Source:
        Zaheer et al. 2017, arXiv:1703.06114; messages along connections as in Kofinas et al. 2024,
        arXiv:2403.12143.
    """

    def __init__(self, layout: Layout, settings: Settings) -> None:
        super().__init__()
        self.layers = chained(layout)
        width = settings.width
        self.start = nn.ModuleList(nn.Linear(layer.own, width) for layer in self.layers)
        self.classes = nn.Parameter(settings.position * torch.randn(self.layers[-1].units, width))
        self.sweeps = nn.ModuleList(
            Sweep(self.layers, width, settings.hidden) for _ in range(settings.blocks)
        )
        described = 2 * (len(self.layers) - 1) + self.layers[-1].units
        self.norm = nn.LayerNorm(described * width)
        self.bottleneck = nn.Linear(described * width, settings.dim)

    def forward(self, vectors: Float[Tensor, "batch params"]) -> Float[Tensor, "batch dim"]:
        """Embed each vector in (-1, 1) along every axis."""
        connections = [layer.connections(vectors) for layer in self.layers[1:]]
        units = [
            start(layer.starts(vectors))
            for layer, start in zip(self.layers, self.start, strict=True)
        ]
        units[-1] = units[-1] + self.classes
        for sweep in self.sweeps:
            units = sweep(units, connections)
        *hidden, classes = units
        described = [each for layer in hidden for each in (layer.mean(dim=1), layer.amax(dim=1))]
        return torch.tanh(
            self.bottleneck(self.norm(torch.cat([*described, classes.flatten(1)], 1)))
        )
