"""What the real ExaBGP's reactor answers an API program, and what it then sends."""

import reference  # noqa: F401  silences the log
from correct import update_rib, withhold_withdrawn, without_overtaken
from exabgp.bgp.fsm import FSM
from exabgp.bgp.message import Open
from exabgp.bgp.message.open import ASN, RouterID, Version
from exabgp.bgp.message.open.capability import Capabilities, Negotiated
from exabgp.bgp.message.update.eor import EOR
from exabgp.configuration.configuration import Configuration
from exabgp.configuration.core.format import formated
from exabgp.reactor.api.response.answer import Answer
from exabgp.reactor.loop import Reactor
from exabgp.reactor.peer import Peer
from exabgp.rib import RIB
from exabgp.rib.outgoing import OutgoingRIB

PROGRAM = 'program'


class Processes:
    """The one program, and what it is told."""

    def __init__(self):
        self.told = []
        self.ack = True

    def write(self, service, line, neighbor=None):
        self.told.append(line)

    def answer_done(self, service, force=False):
        if self.ack or force:
            self.told.append(Answer.text_done)

    def answer_error(self, service):
        if self.ack:
            self.told.append(Answer.text_error)

    def set_ack(self, service, enabled):
        self.ack = enabled


def negotiate(neighbor):
    local_as, peer_as = neighbor['local-as'], neighbor['peer-as']
    capabilities = Capabilities().new(neighbor, True, local_as=local_as)
    sent = Open(Version(4), ASN(local_as), neighbor['hold-time'], RouterID(str(neighbor['router-id'])), capabilities)
    negotiated = Negotiated(neighbor)
    negotiated.sent(sent)
    negotiated.received(reference.mirrored(sent.message(), peer_as))
    return negotiated


def drain(neighbor, negotiated, first):
    """The messages that leave, those that are not UPDATEs apart."""
    rib = neighbor.rib.outgoing
    if first and OutgoingRIB._update_rib is without_overtaken:
        withhold_withdrawn(rib)
    routes, others = [], []
    if rib.pending():
        for update in rib.updates(neighbor['group-updates']):
            for message in update.messages(negotiated, not first):
                (routes if message[18] == 2 else others).append(message.hex())
    if negotiated.operational:
        others += [message.message(negotiated).hex() for message in neighbor.messages]
    for refresh in neighbor.refresh if neighbor['capability']['route-refresh'] else ():
        others += [message.hex() for message in refresh.messages(negotiated, True)]
    ends = [EOR(family.afi, family.safi).message(negotiated).hex() for family in neighbor.eor]
    for queue in (neighbor.messages, neighbor.refresh, neighbor.eor):
        queue.clear()
    return {'routes': routes, 'others': sorted(others), 'ends': ends}


def dialogue(text, established, lines):
    """What each command is answered, and what each neighbor is sent in the end; `None` where ExaBGP fails.

    A dialogue that would leave a peer with wrong routes is an error: there Lockstep departs (src/speaker/parity.rs).
    """
    shown = held(text, established, lines)
    OutgoingRIB._update_rib = without_overtaken
    try:
        same = held(text, established, lines) == shown
    finally:
        OutgoingRIB._update_rib = update_rib
    return shown if same else {'error': 'a peer would be left with wrong routes'}


def held(text, established, lines):
    RIB._cache.clear()
    try:
        reactor = Reactor(Configuration([text], text=True))
        reactor.processes = Processes()
        reactor.asynchronous.set_error_handler(reactor.processes.answer_error)
        if not reactor.configuration.reload():
            return None
        sessions, fresh = {}, set(reactor.configuration.neighbors)
        for key, neighbor in reactor.configuration.neighbors.items():
            reactor._peers[key] = Peer(neighbor, reactor)
            if established:
                reactor._peers[key].fsm.state = FSM.ESTABLISHED
                sessions[key] = negotiate(neighbor)
                neighbor.rib.outgoing.replace_restart([], neighbor.changes)
                if neighbor.rib.outgoing.pending():
                    fresh.remove(key)
                drain(neighbor, sessions[key], True)
        answers = []
        for line in lines:
            reactor.processes.told = []
            reactor.api.process(reactor, PROGRAM, formated(line))
            while not reactor.asynchronous.ready():
                reactor.asynchronous.run()
            answers.append([str(line) for line in reactor.processes.told])
        sent = []
        for key, neighbor in reactor.configuration.neighbors.items():
            if not established:
                sessions[key] = negotiate(neighbor)
                neighbor.rib.outgoing.replace_restart([], neighbor.changes)
                for message in neighbor.asm.values():
                    neighbor.messages.appendleft(message)
            sent.append(drain(neighbor, sessions[key], key in fresh))
        return {'answers': answers, 'sent': sent}
    except Exception as error:
        return {'error': f'{type(error).__name__}: {error}'}
