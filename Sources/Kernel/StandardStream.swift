import Glibc

/// The process's standard streams, for commands. Calls block until all is written or read; no worker may make them.
package enum StandardStream: CInt, Sendable {
    case output = 1
    case error = 2

    /// Writes a text. Throws what write(2) fails with, such as EPIPE when the reader has gone.
    package func write(_ text: String) throws(SystemError) {
        var left = Array(text.utf8)[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
            if count < 0 {
                switch errno {
                case EINTR: continue
                // A terminal that another program has set so, or a slow pipe.
                case EAGAIN:
                    var wait = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&wait, 1, -1)
                default: throw .last("write")
                }
            } else {
                left = left.dropFirst(count)
            }
        }
    }

    /// Writes a line, whether or not somebody reads it.
    package func say(_ line: String) { try? write("\(line)\n") }
}
