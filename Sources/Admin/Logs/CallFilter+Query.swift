import Configuration
import FoundationEssentials
import Kernel
import Telemetry

extension CallFilter {
    /// Why a query cannot be understood.
    struct Fault: Error, Equatable {
        let text: String
    }

    /// The query of a target: `follow=1`, and what is wanted of `failed=1`, `slow=1s`, `tool=`, `server=` and `session=`.
    init(query: String) throws(Fault) {
        self.init()
        let items = URLComponents(string: "?" + query)?.queryItems ?? []
        var follows = false
        for item in items {
            let value = item.value ?? ""
            switch item.name {
            case "follow": follows = value == "1"
            case "failed": onlyFailed = value != "0"
            case "tool": tool = CallName(Array(value.utf8).span)
            case "server": server = value
            case "slow":
                guard let time = DurationText.parse(value) else {
                    throw Fault(text: "\(value) is no duration; 500ms and 2s are")
                }
                slowFrom = Interval(time).nanoseconds
            case "session":
                guard let number = SessionDigest.number(value) else {
                    throw Fault(text: "that is no session's digest: 16 hexadecimal digits")
                }
                session = number
            default:
                throw Fault(text: "there is no \(item.name); there are follow, failed, slow, tool, server and session")
            }
        }
        guard follows else { throw Fault(text: "ask for /logs?follow=1: calls are shown as they end") }
    }
}
