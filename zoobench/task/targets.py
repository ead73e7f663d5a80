"""The targets of tasks: properties of snapshots, and one column computed from them."""

from typing import TYPE_CHECKING

from zoogen import Part

if TYPE_CHECKING:
    import pandas as pd

RUNNING_GAP_TARGET = "running_gap"
RUNNING = "running_train_accuracy"


def targets(part: Part) -> "pd.DataFrame":
    """Return the properties of a part of a zoo, with the gap as the paper measured it.

    The paper takes the running train accuracy, measured on each image as it is shown during the
    epoch. Imported zoos may not have it.
    """
    properties = part.properties
    if RUNNING not in properties:
        return properties
    return properties.assign(
        **{RUNNING_GAP_TARGET: properties[RUNNING] - properties["test_accuracy"]}
    )
