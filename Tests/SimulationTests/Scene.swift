import Glibc
import Kernel

/// A sequence of steps between a worker and its peer, the same for the real and the simulated kernel.
enum Scene: String, CaseIterable, Sendable {
    case data, finish, resetWithData, resetThenSend, resetThenError, resetAfterFinish, sendAfterFinish
    case ownFinish, closeWithUnread, full, fullAndData, dialed, refused, listening, resetInBacklog, finishBeforeWatch

    /// The outcome on Linux 6. Events are r(eadable), w(ritable), e(nded), f(ailed).
    var outcome: [String] {
        switch self {
        case .data: ["w", "", "rw", "rw", "moved hel", "", "moved lomore", "wait"]
        case .finish: ["w", "rwe", "moved last", "ended", "ended"]
        case .resetWithData: ["w", "rwef", "moved la", "moved st", "failed 104", "ended", "failed 32"]
        case .resetThenSend: ["w", "rwef", "failed 104", "failed 32", "ended", ""]
        case .resetThenError: ["w", "rwef", "error 104", "error 0", "ended", "failed 32"]
        case .resetAfterFinish: ["w", "rwe", "rwef", "ended", "failed 32"]
        case .sendAfterFinish: ["w", "rwe", "ended", "true", "sent 3", "rwef", "false", "ended", "failed 32"]
        case .ownFinish: ["w", "w", "rw", "moved still", "rwe", "ended", "failed 32"]
        case .closeWithUnread: ["w", "sent 7", "rwef", "failed 104"]
        case .full: ["w", "", "wait", "w", "sent 1"]
        case .fullAndData: ["w", "r", "moved in", "w"]
        case .dialed: ["w", "error 0", "wait", "sent 2", "rw", "moved yes"]
        case .refused: ["rwef", "error 111", "ended", "failed 32"]
        case .listening: ["", "r", "accepted", "none", "", "r", "accepted", "none"]
        case .resetInBacklog: ["r", "accepted", "failed 104"]
        case .finishBeforeWatch: ["rwe", "moved q", "ended"]
        }
    }
}

/// Runs a scene in a world and records what the worker observes.
struct SceneRunner<Outside: World & ~Copyable>: ~Copyable {
    private var world: Outside
    private let remote: any RemotePeer
    private let expected: [String]
    private var log: [String] = []
    private var descriptor = Descriptor.none

    init(_ world: consuming Outside, _ remote: any RemotePeer, expecting expected: [String]) {
        self.world = world
        self.remote = remote
        self.expected = expected
    }

    mutating func play(_ scene: Scene) -> [String] {
        switch scene {
        case .data:
            open()
            note()
            remote.send("hello")
            note()
            remote.send("more")
            note()
            receive(3)
            note()
            receive()
            receive()
        case .finish:
            open()
            remote.send("last")
            remote.close()
            note()
            receive()
            receive()
            receive()
        case .resetWithData:
            open()
            remote.send("last")
            remote.reset()
            note()
            receive(2)
            receive()
            receive()
            receive()
            send("x")
        case .resetThenSend:
            open()
            remote.reset()
            note()
            send("x")
            send("x")
            receive()
            note()
        case .resetThenError:
            open()
            remote.reset()
            note()
            error()
            error()
            receive()
            send("x")
        case .resetAfterFinish:
            open()
            remote.finish()
            note()
            remote.reset()
            note()
            receive()
            send("x")
        default: playOther(scene)
        }
        world.close(descriptor, reset: false)
        return log
    }

    private mutating func playOther(_ scene: Scene) {
        switch scene {
        case .sendAfterFinish:
            open()
            remote.close()
            note()
            receive()
            log.append("\(!world.hasUnacknowledged(descriptor))")
            send("req")
            note()
            log.append("\(!world.hasUnacknowledged(descriptor))")
            receive()
            send("x")
        case .ownFinish:
            open()
            world.finish(descriptor)
            note()
            remote.send("still")
            note()
            receive()
            remote.drain()
            remote.close()
            note()
            receive()
            send("x")
        case .closeWithUnread:
            open()
            send("request")
            waitUntilAcknowledged()
            remote.close()
            note()
            receive()
        case .full:
            open()
            fill()
            note()
            send("x")
            remote.drain()
            note()
            send("x")
        case .fullAndData:
            open()
            fill()
            remote.send("in")
            note()
            receive()
            remote.drain()
            note()
        case .dialed, .refused: playDial(scene)
        default: playListening(scene)
        }
    }

    private mutating func playDial(_ scene: Scene) {
        guard case .started(let dialled) = world.dial(scene == .refused ? remote.unusedAddress() : remote.serve())
        else { return }
        descriptor = dialled
        _ = world.watch(dialled, token: 1)
        note()
        error()
        receive()
        guard scene == .dialed else { return send("x") }
        send("hi")
        remote.acceptDialled()
        remote.send("yes")
        note()
        receive()
    }

    private mutating func playListening(_ scene: Scene) {
        switch scene {
        case .listening:
            _ = world.watch(remote.listener, token: 1)
            note()
            remote.connect()
            note()
            accept()
            accept()
            note()
            world.close(descriptor, reset: false)
            remote.connect()
            note()
            accept()
            accept()
        case .resetInBacklog:
            _ = world.watch(remote.listener, token: 1)
            remote.connect()
            remote.reset()
            note()
            accept()
            receive()
        default:
            remote.connect()
            remote.send("q")
            remote.finish()
            descriptor = arrival()
            _ = world.watch(descriptor, token: 1)
            note()
            receive()
            receive()
        }
    }

    // MARK: Steps

    /// Accepts one connection and watches it, which causes an event at once.
    private mutating func open() {
        remote.connect()
        descriptor = arrival()
        _ = world.watch(descriptor, token: 1)
        note()
    }

    private mutating func arrival() -> Descriptor {
        let deadline = world.now() + .seconds(5)
        while world.now() < deadline {
            if case .connection(let descriptor, _) = world.accept(remote.listener) { return descriptor }
            _ = world.wait(milliseconds: 1)
        }
        return .none
    }

    private mutating func accept() {
        switch world.accept(remote.listener) {
        case .connection(let accepted, _):
            descriptor = accepted
            log.append("accepted")
        case .none: log.append("none")
        case .exhausted(let code): log.append("exhausted \(code)")
        }
    }

    /// Collects events until they are the expected ones, and a short time longer in case there are more.
    private mutating func note() {
        let hoped = log.count < expected.count ? expected[log.count] : ""
        let deadline = world.now() + .seconds(5)
        var seen = ""
        repeat {
            let count = world.wait(milliseconds: 5)
            for index in 0..<count { seen = merge(seen, world.event(index).readiness) }
            if count == 0 && seen == hoped { break }
        } while world.now() < deadline
        log.append(seen)
    }

    private func merge(_ seen: String, _ readiness: Readiness) -> String {
        var flags = ""
        if readiness.isReadable || seen.contains("r") { flags += "r" }
        if readiness.isWritable || seen.contains("w") { flags += "w" }
        if readiness.hasEnded || seen.contains("e") { flags += "e" }
        if readiness.hasFailed || seen.contains("f") { flags += "f" }
        return flags
    }

    private mutating func receive(_ count: Int = 100) {
        var bytes = [UInt8](repeating: 0, count: count)
        var space = bytes.mutableSpan
        switch world.receive(descriptor, into: &space) {
        case .moved(let moved): log.append("moved " + String(decoding: bytes[..<moved], as: UTF8.self))
        case .ended: log.append("ended")
        case .wouldBlock: log.append("wait")
        case .failed(let code): log.append("failed \(code)")
        }
    }

    private mutating func send(_ text: String) {
        switch world.send(descriptor, text.utf8.span) {
        case .moved(let moved): log.append("sent \(moved)")
        case .ended: log.append("ended")
        case .wouldBlock: log.append("wait")
        case .failed(let code): log.append("failed \(code)")
        }
    }

    private mutating func error() {
        log.append("error \(world.connectionError(descriptor))")
    }

    /// Sends until the socket is full, and a while longer, because bytes in transit may still free space.
    private mutating func fill() {
        let bytes = [UInt8](repeating: 122, count: 65_536)
        var quiet = 0
        while quiet < 5 {
            if case .moved = world.send(descriptor, bytes.span) { quiet = 0 } else { quiet += 1 }
            _ = world.wait(milliseconds: 2)
        }
    }

    private mutating func waitUntilAcknowledged() {
        let deadline = world.now() + .seconds(5)
        while world.hasUnacknowledged(descriptor) && world.now() < deadline { _ = world.wait(milliseconds: 1) }
    }
}
