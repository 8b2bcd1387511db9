import Glibc

/// The files a server's context is made of, and how it is made of them.
package struct TLSFiles: Equatable, Sendable {
    /// PEM files: a chain, leaf first, and its key.
    package struct Pair: Equatable, Sendable {
        package var certificate: String
        package var key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The first is the default.
    package var pairs: [Pair]
    package var options: TLSOptions

    package init(_ pairs: [Pair], options: TLSOptions) {
        self.pairs = pairs
        self.options = options
    }

    /// Every file, in the order in which `context` wants their contents.
    var paths: [String] {
        var paths = pairs.flatMap { [$0.certificate, $0.key] }
        if case .file(let authorities) = options.clients?.authorities { paths.append(authorities) }
        return paths
    }

    /// Makes a context of what was read from `paths`.
    func context(of contents: [[UInt8]]) throws(TLSError) -> TLSContext {
        let identities = pairs.enumerated().map { index, pair in
            TLSIdentity(
                certificate: .read(file: pair.certificate, contents[2 * index]),
                key: .read(file: pair.key, contents[2 * index + 1]))
        }
        var options = options
        if case .file(let path) = options.clients?.authorities {
            options.clients?.authorities = .read(file: path, contents[2 * pairs.count])
        }
        return try TLSContext(identities, options: options)
    }
}

/// One version of a file, as far as that can be told without reading it. Follows links, so that a link to another
/// file is another version.
struct FileStamp: Equatable {
    private let device: UInt
    private let node: UInt
    private let size: Int
    private let modified: Int
    private let modifiedNanoseconds: Int
    private let changed: Int
    private let changedNanoseconds: Int

    /// Nil if there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        node = UInt(status.st_ino)
        size = Int(status.st_size)
        modified = status.st_mtim.tv_sec
        modifiedNanoseconds = status.st_mtim.tv_nsec
        changed = status.st_ctim.tv_sec
        changedNanoseconds = status.st_ctim.tv_nsec
    }

    /// A file that was changed so lately might be changed again without its times showing it: they come from a clock
    /// that ticks a few hundred times a second.
    func isSettled(at now: Int64) -> Bool { Int64(max(modified, changed)) + 2 < now }
}

/// Whole files, read in a way that cannot hang.
package enum FileContents {
    /// More than any chain, key or list of authorities has.
    private static let largest = 4 << 20

    /// All of a file.
    package static func read(_ path: String) throws(TLSError) -> [UInt8] {
        let action: StaticString = "reading a file"
        // Not to wait for the writer of a FIFO.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(action, path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= largest {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw failure(action, path) }
            if count == 0 { return bytes }
            bytes += chunk[0..<count]
        }
        throw TLSError(action: action, reason: "\(path): it has more than 4 MiB")
    }

    private static func failure(_ action: StaticString, _ path: String) -> TLSError {
        TLSError(action: action, reason: "\(path): \(String(cString: strerror(errno)))")
    }
}
