"""An encoder that ignores the order of hidden units: layers are sets, units exchange messages.

A unit starts from its own weights and bias, receives a message through each of its connections and
takes their mean. A hidden layer is described by mean and maximum over its units. Inputs and classes
keep their order, which is meaningful.
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
        weight: Slot of the weights, with units along the first axis and inputs along the second.
        bias: Slot of the biases, if there are any.
        inputs: Number of units in the previous layer; 1 in the first layer, where all inputs of a
            unit form one connection.
    """

    weight: Slot
    bias: Slot | None
    inputs: int

    @property
    def units(self) -> int:
        """Number of units."""
        return self.weight.shape[0]

    @property
    def scalars(self) -> int:
        """Number of weights of a connection: of a kernel, or one per pixel of a flattened map."""
        return self.weight.size // (self.units * self.inputs)

    @property
    def features(self) -> int:
        """Number of features a unit starts from."""
        return 1 + (self.bias is not None) + (self.scalars if self.inputs == 1 else 0)

    def connections(
        self, vectors: Float[Tensor, "batch params"]
    ) -> Float[Tensor, "batch _units _inputs _scalars"]:
        """Read the weights of every connection."""
        return vectors[:, self.weight.slice].view(len(vectors), self.units, self.inputs, -1)

    def unit_features(
        self, vectors: Float[Tensor, "batch params"]
    ) -> Float[Tensor, "batch _units _features"]:
        """Read the features of each unit: RMS of its weights, bias, weights from the images."""
        incoming = self.connections(vectors).flatten(2)
        parts = [incoming.square().mean(dim=2, keepdim=True).sqrt()]
        if self.bias is not None:
            parts.append(vectors[:, self.bias.slice, None])
        if self.inputs == 1:
            parts.append(incoming)
        return torch.cat(parts, dim=2)


def chain_of_layers(layout: Layout) -> tuple[Layer, ...]:
    """Return the layers of a network in which each layer feeds the next and no other.

    Raises:
        ZooError: If the network declares no such layers, or has tensors beside them.
    """
    hidden = layout.hidden_chain("tokens=sets")
    names = [layer.incoming[0][0] for layer in hidden] + [hidden[-1].outgoing[0][0]]
    layers: list[Layer] = []
    for name in names:
        bias = f"{name.removesuffix('.weight')}.bias"
        layers.append(
            Layer(
                weight=layout[name],
                bias=layout[bias] if bias in layout.shapes else None,
                inputs=layers[-1].units if layers else 1,
            )
        )
    known = {slot.name for layer in layers for slot in (layer.weight, layer.bias) if slot}
    if others := layout.shapes.keys() - known:
        raise ZooError(
            f"{min(others)} is neither the weight nor the bias of a layer; set tokens=neurons"
        )
    return tuple(layers)


class Messages(nn.Module):
    """Messages to each unit, from the weights of a connection and the unit at its other end."""

    def __init__(self, scalars: int, width: int) -> None:
        super().__init__()
        self.connection = nn.Linear(scalars, width)
        self.sender = nn.Linear(width, width, bias=False)

    def forward(
        self,
        connections: Float[Tensor, "batch receivers senders scalars"],
        senders: Float[Tensor, "batch senders width"],
    ) -> Float[Tensor, "batch receivers width"]:
        """Return the mean message to each receiver."""
        messages = torch.relu(self.connection(connections) + self.sender(senders)[:, None])
        return messages.mean(dim=2)


class Update(nn.Module):
    """Changes units by the messages they received."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.perceptron = nn.Sequential(
            nn.LayerNorm(2 * width),
            nn.Linear(2 * width, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, width),
        )

    def forward(
        self,
        units: Float[Tensor, "batch units width"],
        messages: Float[Tensor, "batch units width"],
    ) -> Float[Tensor, "batch units width"]:
        """Return the changed units."""
        change: Tensor = self.perceptron(torch.cat([units, messages], dim=2))
        return units + change


class Sweep(nn.Module):
    """Messages from layer to layer, forward to the last and back to the first."""

    def __init__(self, layers: Sequence[Layer], width: int, hidden: int) -> None:
        super().__init__()
        later = layers[1:]
        self.forth = nn.ModuleList(Messages(layer.scalars, width) for layer in later)
        self.back = nn.ModuleList(Messages(layer.scalars, width) for layer in later)
        self.after_forth = nn.ModuleList(Update(width, hidden) for _ in later)
        self.after_back = nn.ModuleList(Update(width, hidden) for _ in later)

    def forward(self, units: list[Tensor], connections: Sequence[Tensor]) -> list[Tensor]:
        """Return the units of all layers after one sweep."""
        units = list(units)
        for layer, between in enumerate(connections):
            messages = self.forth[layer](between, units[layer])
            units[layer + 1] = self.after_forth[layer](units[layer + 1], messages)
        for layer, between in reversed([*enumerate(connections)]):
            messages = self.back[layer](between.transpose(1, 2), units[layer + 1])
            units[layer] = self.after_back[layer](units[layer], messages)
        return units


class SetEncoder(nn.Module):
    """Sweeps of messages through the network, then one linear layer from all layer descriptions.

    Permuting hidden units does not change the embedding, up to rounding.

    Args:
        layout: Layout of the weight vectors.
        settings: ``width`` of a unit, ``hidden`` width of the updates, number of sweeps
            (``blocks``), ``position`` as the initial deviation of the classes, and ``dim``.

    Raises:
        ZooError: If the layers of the network do not form a chain.

    Source:
        Zaheer et al. 2017, arXiv:1703.06114; messages along connections as in Kofinas et al. 2024,
        arXiv:2403.12143.
    """

    def __init__(self, layout: Layout, settings: Settings) -> None:
        super().__init__()
        self.layers = chain_of_layers(layout)
        width = settings.width
        self.start = nn.ModuleList(nn.Linear(layer.features, width) for layer in self.layers)
        self.classes = nn.Parameter(settings.position * torch.randn(self.layers[-1].units, width))
        self.sweeps = nn.ModuleList(
            Sweep(self.layers, width, settings.hidden) for _ in range(settings.blocks)
        )
        described = 2 * (len(self.layers) - 1) + self.layers[-1].units
        self.norm = nn.LayerNorm(described * width)
        self.bottleneck = nn.Linear(described * width, settings.dim)

    def forward(self, vectors: Float[Tensor, "batch params"]) -> Float[Tensor, "batch dim"]:
        """Embed each vector; every coordinate is in (-1, 1)."""
        connections = [layer.connections(vectors) for layer in self.layers[1:]]
        units = [
            start(layer.unit_features(vectors))
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
