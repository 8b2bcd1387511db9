import HTTP
import Kernel
import TLS

/// A socket that accepts, and the rules by which it does.
struct Listener {
    let descriptor: Descriptor
    /// Which of the snapshot's listeners this is.
    let id: Int
    var plan: ListenerPlan
    var parser: RequestParser
    /// What new connections are served with; nil for plain listeners.
    var tls: TLSContext?
    var isOpen = true

    init(_ descriptor: Descriptor, id: Int, plan: ListenerPlan) {
        self.descriptor = descriptor
        self.id = id
        self.plan = plan
        parser = RequestParser(limits: plan.limits)
        tls = plan.tls
    }
}
