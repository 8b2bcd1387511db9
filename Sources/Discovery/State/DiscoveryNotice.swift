/// What an operator should know of a source, said once.
package enum DiscoveryNotice: Sendable, Equatable {
    /// It does not answer as it should, for another reason than before; so many servers stay in force.
    case failing(DiscoveryFailure, servers: Int)
    /// It answers again.
    case answersAgain
    /// It names more servers than may be.
    case tooMany(found: Int, maximum: Int)
    /// So many changes wait, for there may be only so many in a window.
    case changesWait(Int, Int)

    /// Whether something is wrong.
    package var isWarning: Bool { self != .answersAgain }

    /// In words for the log, without a full stop.
    package var text: String {
        switch self {
        case .failing(let failure, 0): "\(failure.text); there are no servers until it is right"
        case .failing(let failure, let count): "\(failure.text); the \(count) servers found before stay"
        case .answersAgain: "answers again"
        case .tooMany(let found, let maximum):
            "\(found) servers were found and \(maximum) of them are used: discover.max_servers allows no more"
        case .changesWait(let count, let maximum):
            "\(count) changes wait: discover.max_changes allows \(maximum) in ten seconds"
        }
    }
}
