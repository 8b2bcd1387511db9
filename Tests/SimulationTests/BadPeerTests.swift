import Glibc
import Kernel
import Simulation
import Testing

/// A worker's side of one connection, driven by a test: dials, sends one request and reads the answer.
private final class Caller {
    private var world: SimulatedWorld
    let network: SimulatedNetwork
    var received: [UInt8] = []
    var ending: Transfer?
    private var descriptor = Descriptor.none
    var longestRead = 0

    init(_ network: SimulatedNetwork) {
        self.network = network
        world = SimulatedWorld(network)
    }

    /// Dials `address`, sends a request and reads for at most `time`. Returns the errno of a failed dial, else 0.
    func call(_ address: SocketAddress, for time: Interval) -> CInt {
        let deadline = world.now() + time
        guard case .started(let dialled) = world.dial(address) else { return -1 }
        descriptor = dialled
        _ = world.watch(dialled, token: 1)
        guard world.wait(milliseconds: 200_000) > 0 else { return -1 }
        let error = world.connectionError(descriptor)
        guard error == 0 else { return error }
        _ = world.send(descriptor, "GET / HTTP/1.1\r\n\r\n".utf8.span)
        while ending == nil && world.now() < deadline {
            if !take() { _ = world.wait(milliseconds: 100) }
        }
        return 0
    }

    private func take() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 100)
        var space = bytes.mutableSpan
        let outcome = world.receive(descriptor, into: &space)
        switch outcome {
        case .moved(let count):
            received += bytes[..<count]
            longestRead = max(longestRead, count)
        case .wouldBlock: return false
        case .ended, .failed: ending = outcome
        }
        return true
    }

    func close() {
        world.close(descriptor, reset: false)
    }
}

@Suite("Bad peers")
struct BadPeerTests {
    private let address = SocketAddress.loopback(port: 9000)
    private let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

    private func call(
        _ behaviour: some PeerBehaviour, for time: Interval = .seconds(10),
        conditions: Conditions = .calm, _ check: (Caller, CInt) -> Void
    ) {
        let network = SimulatedNetwork(seed: 3, conditions: conditions)
        network.serve(at: address, as: behaviour)
        let caller = Caller(network)
        let error = caller.call(address, for: time)
        check(caller, error)
        caller.close()
        #expect(network.violations == [])
    }

    @Test("a stalling peer sends its first bytes and no more, and does not close")
    func stalling() {
        call(StallingPeer(answer, sending: 12), for: .seconds(3600)) { caller, _ in
            #expect(caller.received == Array("HTTP/1.1 200".utf8))
            #expect(caller.ending == nil)
        }
    }

    @Test("a one-byte peer is read one byte at a time")
    func oneByte() {
        call(OneBytePeer(answer)) { caller, _ in
            #expect(caller.received == Array(answer.utf8))
            #expect(caller.longestRead == 1)
        }
    }

    @Test("a peer that resets after its head leaves the head and ECONNRESET")
    func resetAfterHead() {
        call(ResetAfterHeadPeer(answer, bodyBytes: 2)) { caller, _ in
            #expect(String(decoding: caller.received, as: UTF8.self).hasSuffix("\r\n\r\nhe"))
            #expect(caller.ending == .failed(ECONNRESET))
        }
    }

    @Test("a peer that sends fewer bytes than announced closes, or stays silent", arguments: [true, false])
    func wrongLength(closes: Bool) {
        call(LyingLengthPeer("HTTP/1.1 200 OK", declared: 50, actual: 20, closes: closes)) { caller, _ in
            let text = String(decoding: caller.received, as: UTF8.self)
            #expect(text.hasSuffix("Content-Length: 50\r\n\r\n" + String(repeating: "x", count: 20)))
            #expect(caller.ending == (closes ? .ended : nil))
        }
    }

    @Test("a refusing server answers with ECONNREFUSED, a silent one not before ETIMEDOUT")
    func refusing() {
        call(RefusingServer()) { caller, error in
            #expect(error == ECONNREFUSED)
            #expect(caller.network.elapsed < .seconds(1))
        }
        call(RefusingServer(silently: true)) { caller, error in
            #expect(error == ETIMEDOUT)
            #expect(caller.network.elapsed > .seconds(126))
        }
    }

    @Test("a slow reader makes the worker's sends block, and gets all bytes")
    func slowReader() {
        let network = SimulatedNetwork(seed: 4, conditions: .cramped)
        let listener = network.listen(on: address)
        let message = String(repeating: "0123456789", count: 40)
        let client = network.connect(to: address, as: SlowReader(message, bytes: 3, every: .milliseconds(20)))
        var worker = EchoWorker(SimulatedWorld(network), listener: listener)

        for _ in 0..<10_000 where client.received.count < 400 { worker.turn() }

        #expect(client.receivedText == message)
        // 400 bytes at 3 bytes per 20 ms.
        #expect(network.elapsed >= .milliseconds(2600))
    }
}
