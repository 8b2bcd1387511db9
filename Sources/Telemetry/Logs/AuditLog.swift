package import Kernel
import MCP
import Synchronization

/// Who did what: calls of tools, prompts and resources, sessions that began or ended, and changes on the admin address. Every
/// one gets a line; nothing is sampled.
package final class AuditLog: CallSink, @unchecked Sendable {
    /// Changes that wait to be written, at most.
    private static var maximumChanges: Int { 1_024 }

    private let writer: LogWriter
    private let counts: LogCounts
    private let changes = Mutex<[AuditedChange]>([])
    // Only the feed's thread uses it.
    private var time = LogTime()

    /// A log that writes to `writer`, and counts in `counts`.
    package init(to writer: LogWriter, _ counts: LogCounts) {
        self.writer = writer
        self.counts = counts
    }

    /// Writes a line with the next batch: have the feed look if that should be at once. Any thread may call it.
    package func record(_ change: AuditedChange) {
        let isKept = changes.withLock { changes in
            guard changes.count < Self.maximumChanges else { return false }
            changes.append(change)
            return true
        }
        if !isKept { counts.countDropped() }
    }

    /// Writes a line for what an auditor asks about.
    package func receive(_ event: borrowing CallEvent, _ names: CallNames) {
        guard event.isAudited(names) else { return }
        // A closure cannot have what is only borrowed.
        let event = copy event
        writer.append(counts) { line in line.append(audit: event, names, &time) }
    }

    /// Writes the batch.
    package func flush(at now: Instant) {
        let new = changes.withLock { changes in
            defer { changes = [] }
            return changes
        }
        for change in new {
            writer.append(counts) { line in line.append(change, &time) }
        }
        writer.flush(at: now)
    }

    /// Writes what there is; waits for a reader for a quarter of a second.
    package func finish() {
        flush(at: .now())
        writer.finish(until: .now() + .milliseconds(250))
    }
}

extension CallEvent {
    /// Calls that do something or hand something out. Lists, notifications, answers and checks are none; whatever is not known
    /// is one, so that nobody gets round the log with a message that Berth does not read.
    fileprivate func isAudited(_ names: CallNames) -> Bool {
        switch method {
        case .toolsCall, .promptsGet, .resourcesRead, .resourcesSubscribe, .resourcesUnsubscribe, .initialize, .batch,
            .tasksResult, .tasksCancel, .tasksUpdate:
            return true
        case .initialized, .ping, .discover, .toolsList, .promptsList, .resourcesList, .resourceTemplatesList,
            .complete, .setLevel, .listen, .tasksGet, .tasksList, .cancelled, .progress, .rootsListChanged, .response:
            return false
        case .other:
            let method = names.httpMethod(of: self)?.text
            return method == "POST" || method == "DELETE"
        }
    }
}

extension LogBuffer {
    fileprivate mutating func append(audit event: borrowing CallEvent, _ names: CallNames, _ time: inout LogTime) {
        append("{\"time\":\"")
        time.append(internet: event.startedAt, to: &self)
        append("\",\"event\":\"call\",\"client\":\"")
        append(event.client)
        append("\",\"client_port\":")
        append(decimal: UInt64(event.client.port))
        if let listener = names.listener(of: event) {
            append(",\"listener\":\"")
            append(listener.json)
            append("\"")
        }
        append(event.flags.contains(.secure) ? ",\"tls\":true" : ",\"tls\":false")
        if let method = names.httpMethod(of: event) {
            append(",\"http_method\":\"")
            append(method.json)
            append("\"")
        }
        appendMessage(of: event)
        append(",\"status\":")
        append(decimal: UInt64(event.status))
        appendOutcome(of: event, names, isSlow: false)
        appendRoute(of: event, names)
        appendTrace(of: event)
        append(",\"duration_ms\":")
        append(milliseconds: event.duration)
        append("}")
    }
}
