"""How much is computed at once, by measurement: see ``docs/decisions/0007-stacks-of-cnns.md``.

A convolution is fastest on a CPU while the maps of all models and images fit its caches; a
multilayer perceptron this small, and any network on an accelerator, when there is much to do.
"""

from zoogen.architectures import CNN, MLP

MODELS, CONVOLVED_MODELS = 512, 32
IMAGES, CONVOLVED_IMAGES = 256, 64
CONVOLVED_MAPS = 256


def models_per_stack(network: MLP | CNN, batch_size: int, device: str) -> int:
    """Choose how many models train as one."""
    if isinstance(network, MLP) or device != "cpu":
        return MODELS
    return min(max(CONVOLVED_MAPS // batch_size, 2), CONVOLVED_MODELS)


def images_at_once(network: MLP | CNN, device: str) -> int:
    """Choose how many images are classified as one when a stack is measured."""
    return CONVOLVED_IMAGES if isinstance(network, CNN) and device == "cpu" else IMAGES
