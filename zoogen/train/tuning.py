"""How much torch computes at once, as measured in ``docs/decisions/0007-stacks-of-cnns.md``.

On a CPU, a convolution is fastest while the maps of all models and images fit into the caches. A
small multilayer perceptron, and any network on an accelerator, is fastest with much to do.
"""

from zoogen.spec.architectures import CNN, MLP

FULL = 32  # most numbers in a vector, in torch's kernels for any CPU

MODELS, CONVOLVED_MODELS = 512, 32
SHOWN, CONVOLVED_SHOWN = 256, 64
CONVOLVED_IMAGES = 256


def models_per_stack(network: MLP | CNN, batch_size: int, device: str) -> int:
    """Choose how many models train as one stack."""
    if isinstance(network, MLP) or not device.startswith("cpu"):
        return MODELS
    shown = images_per_gradient(network, batch_size, device)
    return min(max(CONVOLVED_IMAGES // shown, 2), CONVOLVED_MODELS)


def images_per_gradient(network: MLP | CNN, batch_size: int, device: str) -> int:
    """Choose how many images of a batch are differentiated at once; gradients are then added."""
    small = isinstance(network, CNN) and device.startswith("cpu")
    return min(batch_size, CONVOLVED_SHOWN) if small else batch_size


def images_at_once(network: MLP | CNN, device: str) -> int:
    """Choose how many images are classified at once when a stack is measured."""
    return CONVOLVED_SHOWN if isinstance(network, CNN) and device.startswith("cpu") else SHOWN
