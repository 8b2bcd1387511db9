import Glibc
import Kernel
import Simulation

/// A minimal worker: sends back what it receives and follows all rules of edge-triggered readiness. A `defect` makes it
/// violate one of them.
struct EchoWorker<Outside: World & ~Copyable>: ~Copyable {
    enum Defect { case none, readsOnce, forgetsToReadAfterFlush, stopsAcceptingWhenExhausted }

    struct Connection {
        let descriptor: Descriptor
        var pending: [UInt8] = []
        var hasEnded = false
        var mayRead = false
    }

    static var bound: Int { 512 }
    var world: Outside
    private let listener: Descriptor
    private let defect: Defect
    private var connections: [UInt64: Connection] = [:]
    private var nextToken: UInt64 = 1
    private var mustAcceptAgain = false
    private(set) var isWatching: Bool

    init(_ world: consuming Outside, listener: Descriptor, defect: Defect = .none) {
        self.world = world
        self.listener = listener
        self.defect = defect
        isWatching = self.world.watch(listener, token: 0)
    }

    var count: Int { connections.count }

    mutating func turn() {
        if !isWatching { isWatching = world.watch(listener, token: 0) }
        if mustAcceptAgain { acceptAll() }
        let ready = world.wait(milliseconds: 50)
        for index in 0..<ready {
            let (token, readiness) = world.event(index)
            if token == 0 {
                acceptAll()
            } else if connections[token] != nil {
                if readiness.isReadable { connections[token]?.mayRead = true }
                serve(token)
            }
        }
    }

    private mutating func acceptAll() {
        mustAcceptAgain = false
        while true {
            switch world.accept(listener) {
            case .connection(let descriptor, _):
                let token = nextToken
                nextToken += 1
                if world.watch(descriptor, token: token) {
                    connections[token] = Connection(descriptor: descriptor)
                } else {
                    world.close(descriptor, reset: true)
                }
            case .none: return
            case .exhausted:
                mustAcceptAgain = defect != .stopsAcceptingWhenExhausted
                return
            }
        }
    }

    private mutating func serve(_ token: UInt64) {
        guard var connection = connections.removeValue(forKey: token) else { return }
        while true {
            guard flush(&connection) else { return world.close(connection.descriptor, reset: true) }
            guard connection.pending.isEmpty else { break }
            if connection.hasEnded { return world.close(connection.descriptor, reset: false) }
            guard connection.mayRead else { break }
            guard fill(&connection) else { return world.close(connection.descriptor, reset: true) }
            if defect == .readsOnce { connection.mayRead = false }
            if defect == .forgetsToReadAfterFlush && !connection.pending.isEmpty {
                connection.mayRead = false
            }
        }
        connections[token] = connection
    }

    private mutating func fill(_ connection: inout Connection) -> Bool {
        var scratch = [UInt8](repeating: 0, count: EchoWorker.bound)
        var space = scratch.mutableSpan
        switch world.receive(connection.descriptor, into: &space) {
        case .moved(let count): connection.pending += scratch[..<count]
        case .ended: connection.hasEnded = true
        case .wouldBlock: connection.mayRead = false
        case .failed: return false
        }
        return true
    }

    private mutating func flush(_ connection: inout Connection) -> Bool {
        while !connection.pending.isEmpty {
            switch world.send(connection.descriptor, connection.pending.span) {
            case .moved(let count): connection.pending.removeFirst(count)
            case .wouldBlock: return true
            case .ended, .failed: return false
            }
        }
        return true
    }
}
