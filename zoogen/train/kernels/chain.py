"""A network as a chain of layers."""

from itertools import pairwise

from zoogen.spec.architectures import CNN, MLP
from zoogen.train.kernels.geometry import Layer, Mean


def chain(network: MLP | CNN) -> tuple[Layer | Mean, ...]:
    """Describe a network as a chain of convolutions and perhaps a mean."""
    convolved = convolutions(network) if isinstance(network, CNN) else ()
    if isinstance(network, MLP):
        inputs, side = network.widths[0], (1, 1)
    elif network.features == "mean":
        inputs, side = network.convolutions[-1].channels, (1, 1)
    else:
        inputs, *sides = network.maps[-1]
        side = (sides[0], sides[1])
    mean = (
        (Mean(inputs=inputs, map=convolved[-1].out),)
        if isinstance(network, CNN) and network.features == "mean"
        else ()
    )
    return (*convolved, *mean, *dense(network, inputs, side, len(convolved)))


def convolutions(network: CNN) -> tuple[Layer, ...]:
    """Return the layers of a network's convolutions."""
    starts = {slot.name: slot.start for slot in network.layout}
    maps = pairwise((network.image, *network.maps))
    return tuple(
        Layer(
            weight=starts[f"conv{number}.weight"],
            bias=starts[f"conv{number}.bias"],
            inputs=channels,
            map=(height, width),
            outputs=block.channels,
            kernel=(block.kernel, block.kernel),
            stride=block.stride,
            pool=block.pool,
            first=number == 1,
            dropout=number if block.dropout else 0,
        )
        for number, (block, ((channels, height, width), _)) in enumerate(
            zip(network.convolutions, maps, strict=True), 1
        )
    )


def dense(network: MLP | CNN, inputs: int, side: tuple[int, int], before: int) -> tuple[Layer, ...]:
    """Return the fully connected layers of a network.

    Args:
        network: The network.
        inputs: Channels of the map that the first of these layers reads.
        side: Height and width of that map.
        before: Number of convolutions before them.
    """
    layout, names = network.layout, network.dense_layers
    starts = {slot.name: slot.start for slot in layout}
    widths = (inputs, *(layout[f"{name}.weight"].shape[0] for name in names))
    return tuple(
        Layer(
            weight=starts[f"{name}.weight"],
            bias=starts.get(f"{name}.bias"),
            inputs=read,
            map=side if number == 1 else (1, 1),
            outputs=made,
            kernel=side if number == 1 else (1, 1),
            first=number == 1 and not before,
            active=number < len(names),
            dropout=before + number if number < len(names) else 0,
        )
        for number, (name, (read, made)) in enumerate(zip(names, pairwise(widths), strict=True), 1)
    )
