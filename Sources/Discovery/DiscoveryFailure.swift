/// Why there is no new list of servers. The one before stays in force.
package struct DiscoveryFailure: Error, Sendable, Hashable {
    /// By what the source did. The raw value stands in metrics.
    package enum Reason: String, Sendable, CaseIterable {
        /// The name does not exist. So Kubernetes answers for a headless Service without ready pods.
        case notFound = "not_found"
        /// The source has answered, and names no server.
        case empty
        /// No name server has answered in time.
        case timeout
        /// No name server can be reached.
        case unreachable
        /// The name server has failed, or refuses to answer.
        case refused
        /// The answer is too large for a datagram, and the name server gives no larger one over TCP.
        case truncated
        /// The answer, or the file, is not what it should be.
        case malformed
        /// The file cannot be read.
        case unreadable
    }

    /// What kind of failure it is.
    package var reason: Reason
    /// More about it, if anything is known; without a full stop.
    package var detail: String

    package init(_ reason: Reason, _ detail: String = "") {
        self.reason = reason
        self.detail = detail
    }

    /// In words for the log, without a full stop.
    package var text: String {
        let words =
            switch reason {
            case .notFound: "the name does not exist"
            case .empty: "the answer names no server"
            case .timeout: "no name server has answered in time"
            case .unreachable: "no name server can be reached"
            case .refused: "the name server failed or refused to answer"
            case .truncated: "the answer was truncated, and there is no whole one over TCP"
            case .malformed: "the answer cannot be read"
            case .unreadable: "the file cannot be read"
            }
        return detail.isEmpty ? words : "\(words): \(detail)"
    }
}
