import Synchronization

/// What has become of the lines of one log since the process started, over all reloads. Any thread may read it.
package final class LogCounts: Sendable {
    /// `access`, `slow` or `audit`.
    package let name: String
    private let writtenLines = Atomic(0)
    private let droppedLines = Atomic(0)

    package init(_ name: String) {
        self.name = name
    }

    /// Lines that were handed to the system, or wait for that.
    package var written: Int { writtenLines.load(ordering: .relaxed) }
    /// Lines that were lost, since the reader was behind or the disk was full.
    package var dropped: Int { droppedLines.load(ordering: .relaxed) }

    func countWritten() { writtenLines.add(1, ordering: .relaxed) }
    func countDropped(_ lines: Int = 1) { droppedLines.add(lines, ordering: .relaxed) }
}

/// What a log has to say about itself, for the log of the process.
package struct LogReport: Sendable, Equatable {
    /// Lines were lost, or a log cannot be opened.
    package var isError: Bool
    /// One sentence.
    package var text: String
}
