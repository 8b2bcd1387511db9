import Balancing
import Kernel
import Simulation

@testable import Proxy

/// Health in a storm: some seeds eject servers, start them slowly, spread work in panic, or check by MCP.
extension Storm {
    static func configureHealth(_ plan: inout UpstreamPlan, seed: UInt64, index: Int) {
        let kind = seed / 3 + UInt64(index)
        if kind.isMultiple(of: 2) {
            plan.outliers = OutlierPlan(
                rule: OutlierDetector.Rule(failures: 2, baseEjection: 1_500_000_000), maximumPercent: 50)
        }
        if kind.isMultiple(of: 3) { plan.healthCheck.slowStart = .seconds(4) }
        plan.panicThreshold = kind % 4 == 1 ? 51 : 0
        if kind % 4 > 1 {
            plan.healthCheck.kind = .mcp
            plan.healthCheck.path = Array("/mcp".utf8)
        }
    }

    /// What a server says to an mcp check: mostly what it should, in one of many ways.
    func answerCheck(_ message: Message, _ index: Int) -> [SimulatedPeer.Action] {
        let method = SDKServer.method(of: message)
        let session = chance(2) ? "Mcp-Session-Id: check\(index)-\(below(1_000))\r\n" : ""
        switch below(30) {
        case 0: return [.close]
        case 1: return [.text("nonsense\r\n\r\n")]
        case 2: return .reply("{", extra: session)
        case 3: return .reply("", status: "404 Not Found", extra: session)
        case 4: return []
        case 5: return .reply("", status: "503 No", extra: session)
        default: break
        }
        let result =
            switch method {
            case "server/discover": chance(2) ? #"{"supportedVersions":["2026-07-28"]}"# : "{}"
            case "initialize": #"{"protocolVersion":"2025-11-25"}"#
            case "tools/list": chance(3) ? #"{"tools":[{"name":"a"}],"nextCursor":"n"}"# : #"{"tools":[{"name":"a"}]}"#
            default: "{}"
            }
        let text = #"{"jsonrpc":"2.0","id":"x","result":\#(result)}"#
        if chance(3) { return .stream("data: \(text)\n\n", extra: session) }
        return .reply(text, extra: session)
    }
}
