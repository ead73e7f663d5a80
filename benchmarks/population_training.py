"""Training populations of small fully connected networks against PyTorch."""

import tempfile
from functools import partial
from pathlib import Path

from benchmarks.every_core import here, on_every_core
from benchmarks.image_steps import alone, by_stack
from benchmarks.ratio import Ratio
from benchmarks.whole_build import build_and_watch, build_several_times, memory
from zoogen import ZooSpec, zoo_spec
from zoogen.device import cores
from zoogen.images.sets import load_images
from zoogen.spec.configs import model_configs

CLAIM = (
    "The command line builds all of tetris-seed (1000 models, 75 epochs) and of tetris-hyp (3600 "
    "models, 75 epochs), measured after each epoch and stored, with kernels compiled before. The "
    "first peer trains one model for one epoch with torch.nn and torch.optim at the better of two "
    "thread settings; the second trains a shard as a torch stack on every core. Neither measures, "
    "and their times are scaled up to all model-epochs. The others are budgets. The fastest of "
    "several runs counts."
)

SEED_SECONDS, HYP_SECONDS = 15, 60
SEED_RUNS, HYP_RUNS = 3, 2


def one_at_a_time(spec: ZooSpec) -> float:
    """Return the seconds per image of one model in torch, with one thread or all."""
    images = partial(load_images, spec.images)
    train = len(images().train_labels)
    return min(
        here(partial(alone, spec, model_configs(spec)[0], images, train, threads))
        for threads in {1, cores()}
    )


def in_stacks(spec: ZooSpec) -> float:
    """Return the seconds per image and model of a torch stack of a shard on every core."""
    shard = model_configs(spec)[: spec.models_per_shard]
    return on_every_core(partial(by_stack, spec, shard, partial(load_images, spec.images)))


def measure() -> list[Ratio]:
    """Build the zoos in a temporary folder; time the first peer before and after."""
    seed, hyp = zoo_spec("tetris-seed"), zoo_spec("tetris-hyp")
    shown = seed.models * seed.epochs * len(load_images(seed.images).train_labels)
    before = one_at_a_time(seed)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        build_and_watch(seed.name, place / "taste", "--models", "1")
        ours = build_several_times(seed.name, place, SEED_RUNS)
        of_hyp = build_several_times(hyp.name, place, HYP_RUNS)
    one, stacked = min(before, one_at_a_time(seed)), in_stacks(seed)
    compared = {
        "tetris-seed, against one model at a time": (ours, one * shown, 4000),
        "tetris-seed, against torch stacks": (ours, stacked * shown, None),
        f"tetris-seed, against {SEED_SECONDS} s": (ours, SEED_SECONDS, 1),
        f"tetris-hyp, against {HYP_SECONDS} s": (of_hyp, HYP_SECONDS, 1),
    }
    return [
        *(
            Ratio(name=name, ours=build.seconds, peer=peer, required=required)
            for name, (build, peer, required) in compared.items()
        ),
        *memory(seed.name, ours),
        *memory(hyp.name, of_hyp),
    ]
