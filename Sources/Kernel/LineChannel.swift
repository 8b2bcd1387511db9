import CLinux
import Glibc
import Synchronization

/// One end of a stream of lines between two processes. One thread may read while another writes; several may write, whole
/// texts each. It owns its descriptor.
public final class LineChannel: Sendable {
    /// What came of waiting for a line.
    public enum Received: Equatable, Sendable {
        /// A line, without its end.
        case line(String)
        /// The other end is closed, or broke the rules: no line will come.
        case ended
        /// No whole line has come yet.
        case timedOut
    }

    /// The longest line in bytes; a longer one ends the channel.
    public static var longestLine: Int { 65_536 }

    /// This end, for handing it to another process.
    public let descriptor: Descriptor
    private let input = Mutex(Input())
    private let output = Mutex(())
    private let isShut = Atomic(false)

    private struct Input {
        var bytes: [UInt8] = []
        /// What lies before was handed out.
        var start = 0
        /// Up to here there is no end of a line.
        var searched = 0
    }

    /// Takes over an end, which must not block.
    public init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    deinit { Glibc.close(descriptor.raw) }

    /// Two ends of a new channel. Throws what socketpair(2) fails with.
    public static func pair() throws(SystemError) -> (LineChannel, LineChannel) {
        var ends: (CInt, CInt) = (-1, -1)
        let code = withUnsafeMutableBytes(of: &ends) {
            berth_socket_pair($0.assumingMemoryBound(to: CInt.self).baseAddress)
        }
        guard code == 0 else { throw .last("socketpair") }
        return (LineChannel(Descriptor(ends.0)), LineChannel(Descriptor(ends.1)))
    }

    /// Takes over an end that another process made and this one inherited. Throws ENOTSOCK if it is no socket.
    public static func inherited(_ descriptor: Descriptor) throws(SystemError) -> LineChannel {
        guard berth_option(descriptor.raw, SOL_SOCKET, SO_DOMAIN) == AF_UNIX else {
            throw SystemError("getsockopt", code: ENOTSOCK)
        }
        Socket.makeOurs(descriptor)
        return LineChannel(descriptor)
    }

    /// Waits for a line until `deadline`.
    public func nextLine(until deadline: Instant) -> Received {
        input.withLock { input in
            while true {
                if let line = Self.takeLine(&input) { return .line(line) }
                guard input.bytes.count - input.start <= Self.longestLine else { return .ended }
                guard isReady(POLLIN, until: deadline) else { return .timedOut }
                guard read(into: &input) else { return .ended }
            }
        }
    }

    private static func takeLine(_ input: inout Input) -> String? {
        guard let end = input.bytes[input.searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            input.searched = input.bytes.count
            return nil
        }
        let line = String(decoding: input.bytes[input.start..<end], as: UTF8.self)
        input.start = end + 1
        input.searched = input.start
        return line
    }

    /// False if there is nothing more to come.
    private func read(into input: inout Input) -> Bool {
        input.bytes.removeFirst(input.start)
        input.searched -= input.start
        input.start = 0
        let space = 65_536
        let count = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: space) { chunk in
            let count = Glibc.read(descriptor.raw, chunk.baseAddress, space)
            if count > 0 { input.bytes += UnsafeMutableBufferPointer(rebasing: chunk[..<count]) }
            return count
        }
        return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))
    }

    /// Sends a text whole, waiting for the other end until `deadline`. False if that end is closed or takes nothing; then a
    /// part may have been sent, and nothing else should be.
    public func send(_ text: String, until deadline: Instant) -> Bool {
        output.withLock { _ in
            guard !isShut.load(ordering: .acquiring) else { return false }
            var text = text
            return text.withUTF8 { bytes in
                var sent = 0
                while sent < bytes.count {
                    let count = Glibc.send(
                        descriptor.raw, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, CInt(MSG_NOSIGNAL))
                    if count > 0 {
                        sent += count
                    } else if errno == EAGAIN {
                        guard isReady(POLLOUT, until: deadline) else { return false }
                    } else if errno != EINTR {
                        return false
                    }
                }
                return true
            }
        }
    }

    /// Ends both directions at once: whoever reads or writes, here or there, is told so.
    public func shutDown() {
        isShut.store(true, ordering: .releasing)
        shutdown(descriptor.raw, CInt(SHUT_RDWR))
    }

    private func isReady(_ events: Int32, until deadline: Instant) -> Bool {
        while true {
            let left = (deadline - Instant.now()).nanoseconds
            var one = pollfd(fd: descriptor.raw, events: Int16(events), revents: 0)
            let count = poll(&one, 1, CInt(clamping: (left + 999_999) / 1_000_000))
            if count > 0 { return true }
            if Instant.now() >= deadline { return false }
        }
    }
}
