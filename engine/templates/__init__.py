"""Templates: algorithms built on demand over whatever implements their parts."""

from __future__ import annotations

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.templates import Template
from tcrypt.engine.templates import (
    authenc,
    authencesn,
    block_modes,
    ccm,
    cmac,
    cts,
    esp,
    essiv,
    gcm,
    geniv,
    hmac,
    rfc3686,
    xts,
)

__all__ = ("TEMPLATES", "register")

TEMPLATES: tuple[Template, ...] = (
    *block_modes.TEMPLATES,
    *rfc3686.TEMPLATES,
    *cts.TEMPLATES,
    *xts.TEMPLATES,
    *essiv.TEMPLATES,
    *hmac.TEMPLATES,
    *cmac.TEMPLATES,
    *authenc.TEMPLATES,
    *authencesn.TEMPLATES,
    *gcm.TEMPLATES,
    *ccm.TEMPLATES,
    *esp.TEMPLATES,
    *geniv.TEMPLATES,
)


def register(machine: Machine) -> None:
    """Offer all templates on a machine."""
    for template in TEMPLATES:
        machine.registry.register_template(template)
