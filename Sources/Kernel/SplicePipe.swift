import CLinux
import Glibc

/// A pipe that bytes pass through from socket to socket: splice(2) moves pages where read and send copy them. It owns both
/// ends.
struct SplicePipe: ~Copyable {
    private let readingEnd: CInt
    private let writingEnd: CInt
    /// Bytes that went in and did not come out.
    private var held = 0

    /// Nil if the process is out of descriptors or pipe memory.
    init?() {
        var ends: [CInt] = [-1, -1]
        guard berth_pipe(&ends) == 0 else { return nil }
        (readingEnd, writingEnd) = (ends[0], ends[1])
        // splice knows no MSG_NOSIGNAL: writing to a closed connection must be an errno here as well.
        signal(SIGPIPE, SIG_IGN)
    }

    deinit {
        Glibc.close(readingEnd)
        Glibc.close(writingEnd)
    }

    /// Moves up to `most` bytes from `source` into the pipe; nil if `source` cannot be spliced.
    mutating func fill(from source: Descriptor, most: Int) -> Transfer? {
        let count = berth_splice(source.raw, writingEnd, most)
        if count > 0 {
            held += count
            return .moved(count)
        }
        if count == 0 { return .ended }
        return errno == EINVAL ? nil : Linux.outcome(errno)
    }

    /// Moves bytes from the pipe into `sink` until the pipe is empty or the sink takes no more. After `failed`, some bytes
    /// may have been taken, and the pipe must not be used again.
    mutating func empty(into sink: Descriptor) -> Transfer {
        var written = 0
        while held > 0 {
            let count = berth_splice(readingEnd, sink.raw, held)
            guard count > 0 else {
                let outcome = Linux.outcome(errno)
                if case .failed = outcome { return outcome }
                break
            }
            held -= count
            written += count
        }
        return written > 0 ? .moved(written) : .wouldBlock
    }

    /// Bytes in the pipe.
    var leftover: Int { held }

    /// Reads all that is in the pipe into `space`, which is large enough, and returns how much that was: a pipe gives what
    /// it has without waiting. After a failed read `leftover` is not 0, and the pipe must not be used again.
    mutating func drain(into space: inout MutableSpan<UInt8>) -> Int {
        let wanted = min(held, space.count)
        var taken = 0
        space.withUnsafeMutableBufferPointer { target in
            var offset = 0
            while offset < wanted, let base = target.baseAddress {
                let count = read(readingEnd, base + offset, wanted - offset)
                guard count > 0 else { break }
                offset += count
            }
            taken = offset
        }
        held -= taken
        return taken
    }
}
