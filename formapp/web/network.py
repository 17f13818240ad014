"""What counts as one visitor for limits: an address of IPv4, a network of IPv6."""

import ipaddress

_IPV6_NETWORK = 64


def network_of(address: str) -> str:
    """The address as limits count it; as it is where it is none.

    One network of IPv6 (/64) is one visitor, as a single customer has as many addresses as they
    like. An address of IPv4 in the form of IPv6 (RFC 4291, 2.5.5.2) is that address.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    bare = ipaddress.IPv6Address(int(found))  # without the zone that only this machine knows
    return str(ipaddress.ip_network((bare, _IPV6_NETWORK), strict=False))
