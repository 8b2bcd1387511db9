import Glibc
import Kernel

/// Something that happens between a worker and its peer, told the same way whether the kernel is real or simulated.
enum Scene: String, CaseIterable, Sendable {
    case data, finish, resetWithData, resetThenSend, resetThenError, resetAfterFinish, sendAfterFinish
    case ownFinish, closeWithUnread, full, fullAndData, dialed, refused, listening, resetInBacklog, finishBeforeWatch

    /// What comes of it on Linux 6: events are r(eadable), w(ritable), e(nded), f(ailed).
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

/// Plays a scene in a world and writes down what the worker saw.
struct Stage<Outside: World & ~Copyable>: ~Copyable {
    private var world: Outside
    private let far: any FarSide
    private let expected: [String]
    private var log: [String] = []
    private var descriptor = Descriptor.none

    init(_ world: consuming Outside, _ far: any FarSide, expecting expected: [String]) {
        self.world = world
        self.far = far
        self.expected = expected
    }

    mutating func play(_ scene: Scene) -> [String] {
        switch scene {
        case .data:
            open()
            note()
            far.send("hello")
            note()
            far.send("more")
            note()
            receive(3)
            note()
            receive()
            receive()
        case .finish:
            open()
            far.send("last")
            far.close()
            note()
            receive()
            receive()
            receive()
        case .resetWithData:
            open()
            far.send("last")
            far.reset()
            note()
            receive(2)
            receive()
            receive()
            receive()
            send("x")
        case .resetThenSend:
            open()
            far.reset()
            note()
            send("x")
            send("x")
            receive()
            note()
        case .resetThenError:
            open()
            far.reset()
            note()
            error()
            error()
            receive()
            send("x")
        case .resetAfterFinish:
            open()
            far.finish()
            note()
            far.reset()
            note()
            receive()
            send("x")
        case .sendAfterFinish:
            open()
            far.close()
            note()
            receive()
            log.append("\(!world.hasUnacknowledged(descriptor))")
            send("req")
            note()
            log.append("\(!world.hasUnacknowledged(descriptor))")
            receive()
            send("x")
        default: playMore(scene)
        }
        world.close(descriptor, reset: false)
        return log
    }

    private mutating func playMore(_ scene: Scene) {
        switch scene {
        case .ownFinish:
            open()
            world.finish(descriptor)
            note()
            far.send("still")
            note()
            receive()
            far.drain()
            far.close()
            note()
            receive()
            send("x")
        case .closeWithUnread:
            open()
            send("request")
            waitUntilAcknowledged()
            far.close()
            note()
            receive()
        case .full:
            open()
            fill()
            note()
            send("x")
            far.drain()
            note()
            send("x")
        case .fullAndData:
            open()
            fill()
            far.send("in")
            note()
            receive()
            far.drain()
            note()
        case .dialed, .refused: playDial(scene)
        default: playListening(scene)
        }
    }

    private mutating func playDial(_ scene: Scene) {
        guard case .started(let dialled) = world.dial(scene == .refused ? far.nobody() : far.serve()) else { return }
        descriptor = dialled
        _ = world.watch(dialled, token: 1)
        note()
        error()
        receive()
        guard scene == .dialed else { return send("x") }
        send("hi")
        far.acceptDialled()
        far.send("yes")
        note()
        receive()
    }

    private mutating func playListening(_ scene: Scene) {
        switch scene {
        case .listening:
            _ = world.watch(far.listener, token: 1)
            note()
            far.connect()
            note()
            accept()
            accept()
            note()
            world.close(descriptor, reset: false)
            far.connect()
            note()
            accept()
            accept()
        case .resetInBacklog:
            _ = world.watch(far.listener, token: 1)
            far.connect()
            far.reset()
            note()
            accept()
            receive()
        default:
            far.connect()
            far.send("q")
            far.finish()
            descriptor = arrival()
            _ = world.watch(descriptor, token: 1)
            note()
            receive()
            receive()
        }
    }

    // MARK: Steps

    /// Accepts one connection and watches it, which is an event at once.
    private mutating func open() {
        far.connect()
        descriptor = arrival()
        _ = world.watch(descriptor, token: 1)
        note()
    }

    private mutating func arrival() -> Descriptor {
        let deadline = world.now() + .seconds(5)
        while world.now() < deadline {
            if case .connection(let descriptor, _) = world.accept(far.listener) { return descriptor }
            _ = world.wait(milliseconds: 1)
        }
        return .none
    }

    private mutating func accept() {
        switch world.accept(far.listener) {
        case .connection(let accepted, _):
            descriptor = accepted
            log.append("accepted")
        case .none: log.append("none")
        case .exhausted(let code): log.append("exhausted \(code)")
        }
    }

    /// Gathers events until they come to what is expected here, and a moment longer in case there are more.
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
        var letters = ""
        if readiness.isReadable || seen.contains("r") { letters += "r" }
        if readiness.isWritable || seen.contains("w") { letters += "w" }
        if readiness.hasEnded || seen.contains("e") { letters += "e" }
        if readiness.hasFailed || seen.contains("f") { letters += "f" }
        return letters
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

    /// Sends until nothing more goes, and a while longer: what is under way may still make room.
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
