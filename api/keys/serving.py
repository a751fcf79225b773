"""The keys of a server that is about to start, and the refusal to be open to strangers by accident."""

from __future__ import annotations

import ipaddress

from api.keys.model import KeyRing
from api.keys.rings import JoinedKeyRing, StaticKeyRing, StoredKeyRing
from api.keys.store import KeyStore
from rag.errors import ConfigError
from rag.settings import Settings


def ring_for(settings: Settings) -> KeyRing:
    """The static key of the settings and the stored keys, those created later included.

    Raises:
        ConfigError: If the key file is damaged; if others than this machine could come in without a key,
            and nobody said that they may.
    """
    store = KeyStore(settings.data_dir)
    store.check()
    static = StaticKeyRing(settings.api_key.get_secret_value())
    joined = JoinedKeyRing((static, StoredKeyRing(store)))
    if not (joined.required or is_loopback(settings.host) or settings.open_to_all):
        raise ConfigError(
            f"监听的地址是 {settings.host!r}，别的机器也能访问，但是一把密钥也没有。"
            "请用 cewen keys create 建一把，或设 CEWEN_API_KEY；"
            "只在本机用，就用 --host 127.0.0.1；真要对所有人开放，设 CEWEN_OPEN_TO_ALL=true。"
        )
    return joined


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on this host; a name counts as not."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
