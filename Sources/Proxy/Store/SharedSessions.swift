import Reactor

/// Exchanges of a worker that have to do with a store, by their slots.
struct SharedSessions {
    /// What one has to do with it.
    enum Role {
        /// It waits for the owner of the session of this id.
        case waiting(id: [UInt8])
        /// It has waited, and does not again.
        case answered
        /// Its response is kept, on this connection, until the store knows of the session that it opens.
        case holding(Handle)
        /// That is over, and the response goes to the client. `isShared`: the store knows.
        case released(Handle, isShared: Bool)
    }

    private var roles: [UInt32: (exchange: Handle, role: Role)] = [:]
    /// Some upstream shares its sessions.
    var isUsed = false
    /// Exchanges that go on before the worker sleeps.
    var waking: [Handle] = []

    /// No exchange has to do with a store.
    var isEmpty: Bool { roles.isEmpty }

    /// The exchange's role. The slot may have been another's.
    subscript(exchange: Handle) -> Role? {
        guard !roles.isEmpty, let entry = roles[exchange.slot], entry.exchange == exchange else { return nil }
        return entry.role
    }

    mutating func begin(_ role: Role, _ exchange: Handle) { roles[exchange.slot] = (exchange, role) }

    /// The exchange's role, which it has no longer.
    mutating func take(_ exchange: Handle) -> Role? {
        guard let role = self[exchange] else { return nil }
        roles[exchange.slot] = nil
        return role
    }
}
