"""Encoder, decoder and projection head: from weights to an embedding and back."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from baselines.self_supervised.attention import block_stack, through_stack
from baselines.self_supervised.dropout import Dropout
from baselines.self_supervised.set_encoder import SetEncoder
from baselines.self_supervised.settings import Settings
from baselines.self_supervised.tokens import Embedding, Group, Unembedding, neurons, single_weights
from zoogen import Layout, ZooError


class AttentionEncoder(nn.Module):
    """Tokens, attention, then one linear layer from the compression token or from all tokens."""

    def __init__(self, groups: Sequence[Group], settings: Settings) -> None:
        super().__init__()
        width = settings.width
        start = settings.position
        self.embedding = Embedding(groups, width, position=start)
        self.compression = (
            nn.Parameter(start * torch.randn(width)) if settings.compression_token else None
        )
        self.blocks = attention_blocks(settings)
        gathered = 1 if settings.compression_token else sum(group.tokens for group in groups)
        self.bottleneck = nn.Linear(gathered * width, settings.dim)

    def forward(self, vectors: Float[Tensor, "batch params"]) -> Float[Tensor, "batch dim"]:
        """Embed each vector; every coordinate is in (-1, 1)."""
        tokens = self.embedding(vectors)
        if self.compression is None:
            return torch.tanh(self.bottleneck(through_stack(self.blocks, tokens).flatten(1)))
        token = self.compression.expand(len(vectors), 1, -1)
        gathered = through_stack(self.blocks, torch.cat([token, tokens], dim=1), first=1)
        return torch.tanh(self.bottleneck(gathered.flatten(1)))


class AttentionDecoder(nn.Module):
    """One linear layer to all tokens, attention, then back to the vector."""

    def __init__(self, groups: Sequence[Group], settings: Settings) -> None:
        super().__init__()
        tokens = sum(group.tokens for group in groups)
        self.spread = nn.Linear(settings.dim, tokens * settings.width)
        self.position = nn.Parameter(settings.position * torch.randn(tokens, settings.width))
        self.blocks = attention_blocks(settings)
        self.unembedding = Unembedding(groups, settings.width)

    def forward(self, embeddings: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch params"]:
        """Reconstruct the vectors."""
        tokens = self.spread(embeddings).unflatten(1, self.position.shape) + self.position
        vectors: Tensor = self.unembedding(through_stack(self.blocks, tokens))
        return vectors


def attention_blocks(settings: Settings) -> nn.ModuleList:
    """Return the attention blocks of an encoder or a decoder."""
    return block_stack(
        settings.blocks,
        settings.width,
        heads=settings.heads,
        hidden=settings.hidden,
        dropout=settings.dropout,
    )


def feed_forward(widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Return fully connected layers with ReLU and dropout after all but the last."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        linear = nn.Linear(before, after)
        nn.init.kaiming_normal_(linear.weight)
        nn.init.constant_(linear.bias, 0.01)
        layers += [linear, nn.ReLU(inplace=True), Dropout(dropout)]
    return nn.Sequential(*layers[:-2])


class Projection(nn.Module):
    """The head between embedding and contrast, with batch normalisation after each layer."""

    def __init__(self, dim: int, *, layers: int, hidden: int, out: int) -> None:
        super().__init__()
        widths = [dim, *(hidden,) * layers, out]
        stack: list[nn.Module] = []
        for before, after in pairwise(widths):
            stack += [
                nn.Linear(before, after, bias=False),
                nn.BatchNorm1d(after),
                nn.ReLU(inplace=True),
            ]
        self.stack = nn.Sequential(*stack[:-1])

    def forward(self, embeddings: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch out"]:
        """Project embeddings to the space where they are compared."""
        projected: Tensor = self.stack(embeddings)
        return projected


class Autoencoder(nn.Module):
    """Encoder, decoder and projection head for one zoo, and the scale of its tensors.

    Args:
        layout: Layout of the weight vectors.
        settings: Settings of the run.

    Raises:
        ZooError: If the layout cannot be split into the tokens of the settings, or the embedding
            has more dimensions than the vectors or the compression token.
    """

    scale: Tensor

    def __init__(self, layout: Layout, settings: Settings) -> None:
        super().__init__()
        refuse_expansion(layout, settings)
        self.encoder, self.decoder = encoder_and_decoder(layout, settings)
        layers, hidden, out = settings.projection
        self.projection = Projection(settings.dim, layers=layers, hidden=hidden, out=out)
        self.register_buffer("scale", torch.ones(layout.params))

    def embed(self, vectors: Float[Tensor, "batch params"]) -> Float[Tensor, "batch dim"]:
        """Embed weight vectors."""
        embeddings: Tensor = self.encoder(vectors / self.scale)
        return embeddings

    def reconstruct(self, embeddings: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch params"]:
        """Decode embeddings to weight vectors."""
        vectors: Tensor = self.decoder(embeddings) * self.scale
        return vectors


def encoder_and_decoder(layout: Layout, settings: Settings) -> tuple[nn.Module, nn.Module]:
    """Return encoder and decoder of the architecture the settings name."""
    if settings.tokens == "none":
        steps = np.linspace(layout.params, settings.dim, settings.layers + 2)
        widths = [int(width) for width in steps]
        encoder = nn.Sequential(*feed_forward(widths, settings.dropout), nn.Tanh())
        return encoder, feed_forward(widths[::-1], settings.dropout)
    if settings.tokens == "sets":
        return SetEncoder(layout, settings), nn.Identity()
    groups = neurons(layout) if settings.tokens == "neurons" else single_weights(layout)
    return AttentionEncoder(groups, settings), AttentionDecoder(groups, settings)


def refuse_expansion(layout: Layout, settings: Settings) -> None:
    """Refuse an embedding wider than the vector it compresses or the token it is read from.

    With ``sets`` nothing is reconstructed, so their embedding may have any width.
    """
    if settings.tokens == "sets":
        return
    if settings.dim > layout.params:
        raise ZooError(
            f"dim={settings.dim} is more than the {layout.params} weights of a network; "
            f"expected 1 to {layout.params}"
        )
    attends = settings.tokens != "none"
    if attends and settings.compression_token and settings.dim > settings.width:
        raise ZooError(
            f"dim={settings.dim} is more than one token of width={settings.width} can carry; "
            "widen the token or set compression_token=False"
        )


def tensor_scale(
    vectors: Float[Tensor, "snapshots params"], layout: Layout
) -> Float[Tensor, " params"]:
    """Return for each weight the standard deviation of its tensor, over all vectors."""
    scale = torch.ones(layout.params)
    for slot in layout:
        scale[slot.slice] = vectors[:, slot.slice].std().clamp_min(1e-6)
    return scale
