"""Which devices train in mixed precision."""

import torch


def multiplies_bfloat16(device: torch.device) -> bool:
    """Tell whether a device multiplies matrices of bfloat16 faster than of float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def mixed_precision(device: torch.device) -> torch.autocast:
    """Multiply matrices in bfloat16 where that is faster; weights and sums stay float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=multiplies_bfloat16(device))


def full_precision(device: torch.device) -> torch.autocast:
    """Multiply in float32 within ``mixed_precision``: bfloat16 tells cosines 0.004 apart alike."""
    return torch.autocast(device.type, enabled=False)
