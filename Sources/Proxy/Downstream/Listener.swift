import HTTP
import Kernel
import TLS

/// A socket that accepts, and the rules by which it does.
struct Listener {
    /// What becomes of its socket.
    enum Phase {
        case open
        /// It takes no new handshakes; what the kernel had accepted is served until then.
        case closing(until: Instant)
        case closed
    }

    let descriptor: Descriptor
    /// systemd has the socket as well.
    var isBorrowed = false
    var plan: ListenerPlan
    var parser: RequestParser
    /// What new connections are served with; nil for plain listeners.
    var tls: TLSContext?
    var phase = Phase.open
    /// Connections of this worker that it accepted: they keep to its plan.
    var connections = 0

    init(_ descriptor: Descriptor, plan: ListenerPlan) {
        self.descriptor = descriptor
        self.plan = plan
        parser = RequestParser(limits: plan.limits)
        tls = plan.tls
    }

    /// The slot under which its connections are counted over all workers.
    var slot: Int { Int(plan.id.slot) }
    var isOpen: Bool { if case .open = phase { true } else { false } }
    /// Its socket is still there.
    var accepts: Bool { if case .closed = phase { false } else { true } }
    /// Nothing refers to it any more.
    var isFree: Bool { !accepts && connections == 0 }
}
