import CLinux
import Glibc

/// Where log lines go: a file, a pipe, a terminal, a stream or a log daemon. Writing to it never waits, but for the disk.
public struct LogOutput: ~Copyable, Sendable {
    /// What came of writing.
    public enum Written: Equatable, Sendable {
        /// So many bytes were taken; of a datagram, all.
        case bytes(Int)
        /// The reader is behind. Nothing was taken.
        case wouldBlock
        /// Nothing was taken.
        case failed(SystemError)
    }

    private enum Kind { case file, pipe, sharedPipe, stream, datagrams }

    private let descriptor: CInt
    private let kind: Kind
    private let isOwned: Bool
    /// Which file it is; 0 of what is none.
    private let device: UInt
    private let node: UInt

    /// Bytes for one `write`. What has a reader takes these whole or not at all (PIPE_BUF, pipe(7)), so that lines of several
    /// processes do not mix.
    public var batch: Int { kind == .file ? 262_144 : 4_096 }

    /// Each `write` is a message of its own.
    public var takesDatagrams: Bool { kind == .datagrams }

    private init(_ descriptor: CInt, _ kind: Kind, isOwned: Bool, device: UInt = 0, node: UInt = 0) {
        self.descriptor = descriptor
        self.kind = kind
        self.isOwned = isOwned
        self.device = device
        self.node = node
    }

    deinit {
        if isOwned { Glibc.close(descriptor) }
    }

    /// Opens a file to append to; a new one gets mode 0640. Of a FIFO, throws ENXIO while nobody reads it.
    public init(path: String) throws(SystemError) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0o640)
        guard descriptor >= 0 else { throw .last("open") }
        var status = stat()
        let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        self.init(
            descriptor, isFile ? .file : .pipe, isOwned: true, device: isFile ? UInt(status.st_dev) : 0,
            node: isFile ? UInt(status.st_ino) : 0)
    }

    /// Standard output or standard error, which stays open when this goes.
    public static func standard(error isError: Bool) -> LogOutput {
        let descriptor: CInt = isError ? 2 : 1
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return LogOutput(descriptor, .file, isOwned: false) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return LogOutput(descriptor, .file, isOwned: false)
        case S_IFSOCK: return LogOutput(descriptor, .stream, isOwned: false)
        default:
            // O_NONBLOCK would hold for whoever shares the open pipe, the shell too. What is opened anew is ours alone.
            let own = open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
            return own >= 0
                ? LogOutput(own, .pipe, isOwned: true) : LogOutput(descriptor, .sharedPipe, isOwned: false)
        }
    }

    /// The log daemon that listens on a Unix socket, such as /dev/log. Throws what connect(2) fails with.
    public static func datagrams(toSocket path: String) throws(SystemError) -> LogOutput {
        let descriptor = berth_connect_datagrams(path, path.utf8.count)
        guard descriptor >= 0 else { throw .last("connect") }
        return LogOutput(descriptor, .datagrams, isOwned: true)
    }

    /// A log daemon behind UDP. Throws what connect(2) fails with.
    public static func datagrams(to address: SocketAddress) throws(SystemError) -> LogOutput {
        let descriptor = berth_datagram_socket(address.isIPv4 ? AF_INET : AF_INET6)
        guard descriptor >= 0 else { throw .last("socket") }
        let output = LogOutput(descriptor, .datagrams, isOwned: true)
        var (storage, length) = address.storage
        guard berth_connect(descriptor, &storage, length) == 0 else { throw .last("connect") }
        return output
    }

    /// Whether both are one file: what was begun in one may be finished in the other.
    public func isSameFile(as other: borrowing LogOutput) -> Bool {
        node != 0 && node == other.node && device == other.device
    }

    /// Writes some of the bytes, at most `batch`.
    public func write(_ bytes: UnsafeRawBufferPointer) -> Written {
        let count = kind == .datagrams ? bytes.count : min(bytes.count, batch)
        if kind == .sharedPipe {
            var one = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&one, 1, 0) > 0 else { return .wouldBlock }
        }
        while true {
            let written =
                switch kind {
                case .stream, .datagrams:
                    send(descriptor, bytes.baseAddress, count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
                case .file, .pipe, .sharedPipe: Glibc.write(descriptor, bytes.baseAddress, count)
                }
            if written >= 0 { return .bytes(written) }
            switch errno {
            case EINTR: continue
            case EAGAIN, ENOBUFS: return .wouldBlock
            default: return .failed(.last("write"))
            }
        }
    }
}
