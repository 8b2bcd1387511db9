import Foundation

/// How much the long tests do: their full counts take minutes.
enum FullCount {
    /// BERTH_FULL_COUNTS=1 asks for them.
    static let isWanted = ProcessInfo.processInfo.environment["BERTH_FULL_COUNTS"] == "1"

    /// `full` if it is asked for.
    static func choose(_ full: Int, else short: Int) -> Int { isWanted ? full : short }
}
