"""Train and measure models by the path of their zoo: kernels or torch."""

from collections.abc import Sequence

from zoogen.images.sets import ImageSet
from zoogen.progress import Report
from zoogen.spec.configs import ModelConfig
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.store.table import TrainingPath
from zoogen.train.snapshots import Snapshots


def train_and_measure(
    spec: ZooSpec,
    configs: Sequence[ModelConfig],
    images: ImageSet,
    *,
    path: TrainingPath,
    device: str,
    report: Report,
) -> Snapshots:
    """Train models by one path; return their snapshots and measurements in the given order."""
    if path == "kernels":
        from zoogen.train.kernels import population

        return population.train_and_measure(spec, configs, images, report=report)
    from zoogen.train import stacked

    return stacked.train_and_measure(spec, configs, images, device=device, report=report)
