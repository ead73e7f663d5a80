"""Mixed precision on devices that are faster with it."""

import torch


def multiplies_bfloat16(device: torch.device) -> bool:
    """Tell whether a device multiplies bfloat16 matrices faster than float32 ones."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def mixed_precision(device: torch.device) -> torch.autocast:
    """Multiply matrices in bfloat16 if that is faster; weights and sums stay float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=multiplies_bfloat16(device))


def full_precision(device: torch.device) -> torch.autocast:
    """Multiply in float32 within ``mixed_precision``: bfloat16 rounds away 0.004 of a cosine."""
    return torch.autocast(device.type, enabled=False)
