"""The reference's Adj-RIB-Out without the changes that leave its peer with wrong routes (src/speaker/parity.rs, "Departures")."""

from exabgp.bgp.message import Action
from exabgp.rib.outgoing import OutgoingRIB

update_rib = OutgoingRIB._update_rib


def without_overtaken(rib, change):
    """As `_update_rib`, but an older change of the same route that would leave later is dropped."""
    buckets = rib._new_attr_af_nlri
    keys = list(buckets)
    attributes = change.attributes.index()
    later = keys[keys.index(attributes) + 1 :] if attributes in keys else []
    for key in later:
        buckets[key].get(change.nlri.family().afi_safi(), {}).pop(change.index(), None)
    return update_rib(rib, change)


def withhold_withdrawn(rib):
    """Drops announcements of routes that the batch withdraws: a first batch leaves the withdraws out."""
    for index, latest in rib._new_nlri.items():
        if latest.nlri.action != Action.WITHDRAW:
            continue
        for families in rib._new_attr_af_nlri.values():
            for changes in families.values():
                if index in changes and changes[index].nlri.action == Action.ANNOUNCE:
                    del changes[index]


class Correct(OutgoingRIB):
    _update_rib = without_overtaken
    withhold_withdrawn = withhold_withdrawn
