import Kernel

/// What a log says about itself in the log of the process: at once when something is wrong, and then once a minute.
final class LogWriterReports {
    /// What failed.
    enum Action { case writing, reopening }

    private static var pause: Interval { .seconds(60) }

    /// Lines that were dropped since the last report.
    var dropped = 0
    private let target: LogTarget
    private let send: @Sendable (LogReport) -> Void
    private var failure: (error: SystemError, action: Action)?
    /// Something was reported that has not been called over.
    private var isReported = false
    private var nextReportAt: Instant?

    init(_ target: LogTarget, _ send: @escaping @Sendable (LogReport) -> Void) {
        self.target = target
        self.send = send
    }

    func failed(_ error: SystemError, doing action: Action) { failure = (error, action) }

    func succeeded() {
        if failure?.action == .writing { failure = nil }
    }

    /// Says what there is to say. `isWaiting`: there are lines that could not be written.
    func report(at now: Instant, isWaiting: Bool) {
        if isReported, !isWaiting, failure == nil {
            isReported = false
            let lost = dropped == 0 ? "" : ": \(dropped) more \(dropped == 1 ? "line" : "lines") lost"
            send(LogReport(isError: false, text: "the log on \(target) is written again\(lost)"))
            dropped = 0
        }
        guard failure != nil || dropped > 0, nextReportAt.map({ now >= $0 }) ?? true else { return }
        let lines = dropped == 0 ? "" : ": \(dropped) \(dropped == 1 ? "line" : "lines") lost"
        let why = failure.map { ": \($0.error)" } ?? ": its reader is behind"
        let what = failure?.action == .reopening ? "cannot be opened anew" : "cannot be written"
        send(LogReport(isError: true, text: "the log on \(target) \(what)\(why)\(lines)"))
        isReported = true
        nextReportAt = now + Self.pause
        dropped = 0
        if failure?.action == .reopening { failure = nil }
    }
}
