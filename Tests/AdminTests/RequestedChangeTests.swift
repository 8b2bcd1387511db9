import Kernel
import Testing

@testable import Admin
@testable import Proxy

/// Changes as they are asked for.
@Suite("Requested changes")
struct RequestedChangeTests {
    private func change(_ action: String, _ parameters: [String: String] = [:]) throws -> RequestedChange? {
        try RequestedChange(action) { parameters[$0] }
    }

    private func order(_ action: String, _ parameters: [String: String] = [:]) throws -> String {
        guard case .order(let order)? = try change(action, parameters)?.work else { return "" }
        return "\(order)"
    }

    @Test("each has its order")
    func orders() throws {
        let server = ["server": "mcp/a:1"]
        #expect(try order("reload") == "reload")
        #expect(try order("drain", server).contains("drain(server: \"mcp/a:1\", true)"))
        #expect(try order("undrain", server).contains("false"))
        #expect(try order("disable", server).contains("disable(server: \"mcp/a:1\", true)"))
        #expect(try order("enable", server).contains("false"))
        #expect(try order("weight", ["server": "mcp/a:1", "weight": "20"]).contains("20"))
        #expect(try order("weight", ["server": "mcp/a:1", "weight": "default"]).contains("nil"))
        #expect(try order("eject", ["server": "mcp/a:1", "for": "5m"]).contains("300000000000"))
        #expect(try order("eject", server).contains("30000000000"))
        #expect(try order("uneject", server).contains("nil"))
        #expect(try order("forget", ["session": "1A2B3C4D00000001"]).contains("1a2b3c4d00000001"))
    }

    @Test(
        "what is missing or no value is said",
        arguments: [
            ("drain", [:]), ("weight", ["server": "mcp/a:1"]), ("weight", ["server": "mcp/a:1", "weight": "heavy"]),
            ("eject", ["server": "mcp/a:1", "for": "soon"]), ("forget", [:]), ("forget", ["session": "1a2b3c4d"]),
            ("forget", ["session": "1a2b3c4d0000000g"]), ("log-level", [:]),
            ("disable", ["server": ""]),
        ] as [(String, [String: String])])
    func faults(action: String, parameters: [String: String]) {
        #expect(throws: RequestedChange.Fault.self) { try change(action, parameters) }
    }

    @Test("there is no other")
    func unknown() throws {
        #expect(try change("restart") == nil)
        #expect(try change("") == nil)
    }
}
