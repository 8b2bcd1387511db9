import Glibc
import Kernel
import Testing

/// A connected pair of stream sockets that never block, closed with the object.
private final class SocketPair {
    let near: Descriptor
    let far: Descriptor

    init() throws {
        var ends: [CInt] = [-1, -1]
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        (near, far) = (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    deinit {
        Glibc.close(near.raw)
        Glibc.close(far.raw)
    }

    /// Sends bytes from `far` to `near`.
    func supply(_ bytes: [UInt8]) throws {
        try #require(write(far.raw, bytes, bytes.count) == bytes.count)
    }

    /// Fills the way from `near` to `far` until nothing fits.
    func fillUp() {
        let junk = [UInt8](repeating: 0xFF, count: 65_536)
        while write(near.raw, junk, junk.count) > 0 {}
        while write(near.raw, junk, 1) > 0 {}
    }

    /// All that `far` has received and not yet read.
    func received() -> [UInt8] {
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(far.raw, &piece, piece.count)
            guard count > 0 else { return all }
            all += piece[..<count]
        }
    }
}

@Suite("Splicing")
struct SpliceTests {
    private static let pattern = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 % 251) }

    @Test("bytes go from one connection to the other, no more than asked for")
    func passes() throws {
        var world = try Linux()
        let (source, sink) = (try SocketPair(), try SocketPair())
        try source.supply(SpliceTests.pattern)

        let first = world.splice(from: source.near, to: sink.near, most: 5_000)
        #expect(first == SpliceResult(read: .moved(5_000), written: .moved(5_000)))
        var total = 5_000
        while case .moved(let count)? = world.splice(from: source.near, to: sink.near, most: 1 << 20)?.read {
            total += count
        }

        #expect(total == 20_000)
        #expect(sink.received() == SpliceTests.pattern)
    }

    @Test("a source with nothing to give, and one that has ended, say so as a read does")
    func emptySource() throws {
        var world = try Linux()
        let (source, sink) = (try SocketPair(), try SocketPair())

        let quiet = world.splice(from: source.near, to: sink.near, most: 100)
        shutdown(source.far.raw, CInt(SHUT_WR))
        let ended = world.splice(from: source.near, to: sink.near, most: 100)

        #expect(quiet == SpliceResult(read: .wouldBlock))
        #expect(ended == SpliceResult(read: .ended))
    }

    @Test("a full sink leaves all bytes over, in order, and the next pass is clean")
    func fullSink() throws {
        var world = try Linux()
        let (source, sink, other) = (try SocketPair(), try SocketPair(), try SocketPair())
        sink.fillUp()
        try source.supply(Array("left over".utf8))

        let result = world.splice(from: source.near, to: sink.near, most: 100)
        var bytes = [UInt8](repeating: 0, count: 9)
        var space = bytes.mutableSpan
        let taken = world.takeLeftover(into: &space)
        #expect(taken == 9)
        try source.supply(Array("next".utf8))
        let next = world.splice(from: source.near, to: other.near, most: 100)

        #expect(result == SpliceResult(read: .moved(9), written: .wouldBlock, leftover: 9))
        #expect(bytes == Array("left over".utf8))
        #expect(next == SpliceResult(read: .moved(4), written: .moved(4)))
        #expect(other.received() == Array("next".utf8))
    }

    @Test("a closed sink fails with its errno, its bytes are lost, and the next pass sees none of them")
    func closedSink() throws {
        var world = try Linux()
        let (source, sink, other) = (try SocketPair(), try SocketPair(), try SocketPair())
        shutdown(sink.near.raw, CInt(SHUT_WR))
        try source.supply(Array("lost".utf8))

        let result = world.splice(from: source.near, to: sink.near, most: 100)
        try source.supply(Array("next".utf8))
        let next = world.splice(from: source.near, to: other.near, most: 100)

        #expect(result == SpliceResult(read: .moved(4), written: .failed(EPIPE)))
        #expect(next == SpliceResult(read: .moved(4), written: .moved(4)))
        #expect(other.received() == Array("next".utf8))
    }

    @Test("a descriptor that cannot be spliced from is no failure of a connection: nil, read and send instead")
    func unspliceable() throws {
        var world = try Linux()
        let sink = try SocketPair()
        let wake = try Wake()
        wake.ring()

        let result = world.splice(from: wake.descriptor, to: sink.near, most: 100)

        #expect(result == nil)
        #expect(sink.received() == [])
    }

    @Test("without a descriptor for the pipe nothing is spliced, and the source keeps its bytes")
    func noDescriptors() async {
        await #expect(processExitsWith: .success) {
            var world = try Linux()
            let (source, sink) = (try SocketPair(), try SocketPair())
            try source.supply([1, 2, 3])
            var limit = rlimit()
            getrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
            let usual = limit.rlim_cur
            limit.rlim_cur = 0
            setrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
            let none = world.splice(from: source.near, to: sink.near, most: 100)
            limit.rlim_cur = usual
            setrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
            let later = world.splice(from: source.near, to: sink.near, most: 100)

            exit(none == nil && later?.read == .moved(3) && sink.received() == [1, 2, 3] ? 0 : 1)
        }
    }
}
