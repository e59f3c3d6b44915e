"""Access keys: made, checked and revoked. A secret is 256 random bits, so a plain SHA-256 of it is as good as any."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from gapnlp.errors import InputError
from gapnlp.records.service import SCOPES, ApiKey
from gapnlp.service.opening import open_database
from gapnlp.settings import Settings
from gapnlp.store.service_keys import ServiceKeys

_PREFIX_BYTES, _SECRET_BYTES = 5, 32
_SECRET = re.compile(r"gapnlp_([0-9a-f]{10})_[A-Za-z0-9_-]{43}", re.ASCII)
# Compared with when there is no such key, so that this takes as long as when there is one.
_NOBODY = hashlib.sha256(b"nobody").hexdigest()
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_LONGEST_NAME = 100


class KeyService:
    """All access keys of a server; only a hash of each secret is stored."""

    def __init__(self, settings: Settings) -> None:
        """Open the database, migrations included. Raises StoreError."""
        self._database = open_database(settings)
        self._keys = ServiceKeys(self._database)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def create(
        self, project: str, name: str, scopes: Sequence[str], expires: datetime | None = None
    ) -> tuple[ApiKey, str]:
        """Make a key; the text that comes with it is the secret, shown this once.

        project: letters, digits, ".", "_", "-". name: for people, to tell keys apart. expires: with its time zone.
        Raises InputError.
        """
        _check(project, name, scopes, expires)
        prefix = secrets.token_hex(_PREFIX_BYTES)
        secret = f"gapnlp_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        granted = tuple(scope for scope in SCOPES if scope in scopes)
        key = ApiKey(prefix, project, name, granted, created=datetime.now(UTC), expires=expires)
        self._keys.insert(key, hashed=_hash(secret))
        return key, secret

    def check(self, secret: str) -> ApiKey | None:
        """Find the key of a secret, in constant time; None when it is unknown, expired or revoked."""
        found = _SECRET.fullmatch(secret)
        known = self._keys.find(found[1]) if found else None
        key, hashed = known or (None, _NOBODY)
        same = hmac.compare_digest(hashed, _hash(secret))
        if key is None or not same or key.revoked is not None:
            return None
        return None if key.expires is not None and key.expires <= datetime.now(UTC) else key

    def list(self) -> tuple[ApiKey, ...]:
        """List all keys, oldest first, revoked and expired ones included."""
        return self._keys.all()

    def revoke(self, prefix: str) -> ApiKey:
        """Revoke a key for good. Raises NotFound."""
        return self._keys.revoke(prefix)

    def any(self) -> bool:
        """Tell whether a key was ever made; revoking all of them does not open the server again."""
        return bool(self._keys.all())


def _check(project: str, name: str, scopes: Sequence[str], expires: datetime | None) -> None:
    if not _PROJECT.fullmatch(project):
        raise InputError("project: use up to 100 letters, digits, dots, dashes and underscores, such as shop-pl")
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InputError(f"name: give up to {_LONGEST_NAME} characters that tell the key apart, such as zendesk")
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        raise InputError(f"scopes: choose from {', '.join(SCOPES)}")
    if expires is not None and (expires.tzinfo is None or expires <= datetime.now(UTC)):
        raise InputError("expires: give a moment in the future, with its time zone")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
