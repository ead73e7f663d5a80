"""How many CNNs make a fast stack? Run on an idle machine: ``python -m studies.stacks_of_cnns``.

Prints image-steps per second on one core for stacks of the paper's CNN, by batch size and number of
models, and for mixed stacks. Results and conclusions are in
``docs/decisions/0007-stacks-of-cnns.md``.
"""

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

from benchmarks.image_steps import drawn_images
from zoogen import ZooSpec, zoo_spec
from zoogen.device import one_thread
from zoogen.spec.configs import ModelConfig, model_configs
from zoogen.train.loop import DeviceImages, train_stack

IMAGE_STEPS = 12_800
BATCHES = {64: (4, 8), 32: (8, 16), 16: (8, 16, 32), 8: (16, 32, 64)}


def rate(spec: ZooSpec, configs: Sequence[ModelConfig], batch_size: int) -> float:
    """Train for two epochs; return the image-steps per second of the second."""
    images = IMAGE_STEPS // len(configs) // batch_size * batch_size
    shown = DeviceImages.of(drawn_images(images), "cpu")
    with one_thread():
        training = train_stack(replace(spec, batch_size=batch_size, epochs=2), configs, shown)
        next(training)
        begin = perf_counter()
        next(training)
    return len(configs) * images / (perf_counter() - begin)


def main() -> None:
    """Print one line per stack."""
    seed, hyp = zoo_spec("mnist-seed"), zoo_spec("mnist-hyp-1-rand-seed")
    for batch_size, stacks in BATCHES.items():
        for models in stacks:
            speed = rate(seed, model_configs(seed)[:models], batch_size)
            print(f"batch {batch_size}, {models} models: {speed:,.0f}", flush=True)
    mixed = sorted(model_configs(hyp)[:16], key=lambda config: config.kind)
    undropped = [replace(config, dropout=0.0) for config in mixed]
    print(f"16 mixed models: {rate(hyp, undropped, 16):,.0f}")
    print(f"16 mixed models with dropout: {rate(hyp, mixed, 16):,.0f}")


if __name__ == "__main__":
    main()
