"""What is predicted: the properties of snapshots, and what follows from them."""

from typing import TYPE_CHECKING

from zoogen import Part

if TYPE_CHECKING:
    import pandas as pd

RUNNING_GAP_TARGET = "running_gap"
RUNNING = "running_train_accuracy"


def targets(part: Part) -> "pd.DataFrame":
    """Return the properties of a part of a zoo, with the gap as the paper measured it.

    Its train accuracy is the running one: of each image as it was shown during the epoch. Zoos
    that were not trained here may not have it.
    """
    properties = part.properties
    if RUNNING not in properties:
        return properties
    return properties.assign(
        **{RUNNING_GAP_TARGET: properties[RUNNING] - properties["test_accuracy"]}
    )
