"""Settings of self-supervised training; the defaults are the paper's for the Tetris zoos."""

from dataclasses import dataclass
from math import inf, isfinite
from typing import Literal, get_args

from zoogen import ZooError

Tokens = Literal["neurons", "weights", "none", "sets"]
Contrast = Literal["nt-xent", "positive"]
Schedule = Literal["plateau", "one-cycle"]
CHOICES = {
    "tokens": get_args(Tokens),
    "contrast": get_args(Contrast),
    "schedule": get_args(Schedule),
}

COUNTS = ("dim", "blocks", "heads", "width", "hidden", "layers", "epochs", "patience")
RANGES = dict.fromkeys(COUNTS, (1, inf)) | {
    "batch": (2, inf),
    "dropout": (0, 0.99),
    "beta": (0, 1),
    "erase": (0, 1),
    "noise": (0, inf),
    "position": (0, inf),
    "temperature": (1e-6, inf),
    "learning_rate": (1e-12, inf),
    "weight_decay": (0, inf),
    "steps": (0, inf),
}


@dataclass(kw_only=True)
class Settings:
    """The paper's method with all its variants.

    ``beta`` and ``contrast`` choose the loss: E_c is ``beta=0``, ED ``beta=1``, E_cD the default
    and E_c+D ``contrast="positive"``. ``tokens`` and ``compression_token`` choose the architecture:
    Att_N+t is the default, Att_W+t is ``tokens="weights"``, FF ``tokens="none"``; the names without
    ``+t`` have ``compression_token=False``.

    Attributes:
        dim: Dimension L of the embedding.
        tokens: Tokens of the encoder: ``neurons`` (or kernels), single ``weights``, or ``none`` for
            fully connected layers. ``sets``, which are not in the paper, replace attention by
            messages between units that have no order (``set_encoder.py``).
        compression_token: Whether the embedding is read from a learned token, not from all tokens.
        blocks: Attention blocks in the encoder, and again in the decoder; with ``sets``, sweeps of
            messages through the network.
        heads: Attention heads per block.
        width: Dimension d of a token.
        hidden: Dimension between the two linear layers of a block.
        layers: Hidden layers of the encoder, and again of the decoder, if ``tokens`` is ``none``.
        position: Initial standard deviation of position embeddings and compression token. At 1 they
            drown out the weights, whose tokens are smaller, for the first epochs.
        dropout: Probability of dropout in attention, blocks and fully connected layers.
        beta: Weight β of the reconstruction loss; contrast has weight 1 − β.
        contrast: ``nt-xent`` also pushes views of different snapshots apart; ``positive`` only
            pulls the two views of a snapshot together (equation 3).
        temperature: τ of NT-Xent.
        projection: Number of hidden layers of the projection head, their width, its output width.
        permute: Whether views permute hidden units.
        erase: Probability that a run of weights of a view is set to zero.
        erased: Least and largest length of that run as a share of the weights.
        noise: Standard deviation of the noise added to the weights of a view.
        epochs: Most passes over the training snapshots.
        steps: Fewest steps, for small zoos: the number of epochs is raised to reach them.
        patience: Stop after this many epochs without a better validation loss.
        batch: Snapshots per step, with two views of each.
        learning_rate: Learning rate of Adam, the peak one with ``one-cycle``.
        weight_decay: Weight decay of Adam.
        schedule: ``plateau`` cuts the learning rate to 30 % when the training loss has not fallen
            for ten epochs, as in the authors' code; ``one-cycle`` warms up, then cools down.
        normalise: Whether to divide each tensor by its standard deviation over the training
            snapshots before embedding, and to multiply it after decoding.
        device: Device to train on, ``cpu`` or ``cuda``.

    Raises:
        ZooError: If a value is out of range.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288, sections 2 to 4.2; epochs, schedule and
        projection of the authors' code.
    """

    dim: int = 50
    tokens: Tokens = "neurons"
    compression_token: bool = True
    blocks: int = 2
    heads: int = 1
    width: int = 128
    hidden: int = 512
    layers: int = 10
    position: float = 1.0
    dropout: float = 0.1
    beta: float = 0.5
    contrast: Contrast = "nt-xent"
    temperature: float = 0.1
    projection: tuple[int, int, int] = (3, 50, 20)
    permute: bool = True
    erase: float = 0.5
    erased: tuple[float, float] = (0.03, 0.3)
    noise: float = 0.0
    epochs: int = 1000
    steps: int = 0
    patience: int = 100
    batch: int = 500
    learning_rate: float = 1e-4
    weight_decay: float = 1e-9
    schedule: Schedule = "plateau"
    normalise: bool = False
    device: str = "cpu"

    def __post_init__(self) -> None:
        self.refuse_out_of_range()
        if self.width % self.heads:
            raise ZooError(f"width={self.width}, heads={self.heads}: expected a multiple of heads")
        if not 0 <= self.erased[0] <= self.erased[1] < 1:
            raise ZooError(f"erased={self.erased}: expected two ascending shares below 1")
        if min(self.projection[1:]) < 1 or self.projection[0] < 0:
            raise ZooError(f"projection={self.projection}: expected layers, width, output width")
        if self.tokens == "sets" and self.beta > 0:
            raise ZooError(
                f"tokens='sets', beta={self.beta}: an encoder that ignores the order of units "
                "cannot reconstruct weights; set beta=0"
            )

    def refuse_out_of_range(self) -> None:
        """Refuse numbers out of range and unknown choices."""
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not isfinite(value):
                raise ZooError(f"{name}={value}: expected a finite number")
            if not low <= value <= high:
                expected = f"{low} to {high}" if high < inf else f"{low} or more"
                raise ZooError(f"{name}={value}: expected {expected}")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ZooError(f"{name}={getattr(self, name)!r}: expected {' or '.join(choices)}")
        if self.device.partition(":")[0] not in {"cpu", "cuda"}:
            raise ZooError(f"device={self.device!r}: expected cpu, cuda or cuda:0")
