/// Lines of calls, as the access log has them in JSON, for a reader who takes them when it can: bounded, and what finds no
/// space is counted. One thread at a time may use it.
package final class CallLines: @unchecked Sendable {
    /// Bytes that wait for the reader at most, unless its maker says otherwise.
    package static var limit: Int { 256 << 10 }

    private let filter: CallFilter
    private let slowFrom: UInt64?
    private let limit: Int
    private var lines = LogBuffer()
    private var time = LogTime()
    /// Lines that were lost behind what is in `lines`.
    private var lost = 0

    /// Lines of the calls that `filter` admits; those that took `slowFrom` nanoseconds or more say that they were slow.
    package init(_ filter: CallFilter, slowFrom: UInt64?, limit: Int = limit) {
        self.filter = filter
        self.slowFrom = slowFrom
        self.limit = limit
    }

    /// Bytes that wait.
    package var count: Int { lines.count }

    /// Adds the line of a call, if the filter admits it.
    package func add(_ event: borrowing CallEvent, _ names: CallNames) {
        guard filter.admits(event, names) else { return }
        guard lines.count < limit else {
            lost += 1
            return
        }
        tellLoss()
        lines.append(json: event, names, isSlow: event.isSlow(from: slowFrom), &time)
        lines.append(UInt8(ascii: "\n"))
    }

    /// Calls were lost before anybody could see whether they were wanted.
    package func noteLost(_ calls: Int) { lost += calls }

    /// Takes everything that waits: whole lines, and `{"lost":12}` where so many are missing. Nil: there is nothing.
    package func take() -> String? {
        tellLoss()
        guard !lines.isEmpty else { return nil }
        defer { lines.consume(lines.count) }
        return String(decoding: lines.bytes, as: UTF8.self)
    }

    private func tellLoss() {
        guard lost > 0 else { return }
        lines.append("{\"lost\":")
        lines.append(decimal: lost)
        lines.append("}\n")
        lost = 0
    }
}
