import Caching
import Foundation
import Proxy
import Testing

extension SocketTests {
    /// Real workers share one cache.
    @Suite("The cache of several workers")
    struct CacheTests {
        private static func request(_ id: Int) -> String {
            let body = #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/list","params":{}}"#
            return
                "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\n"
                + "Mcp-Method: tools/list\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }

        @Test("those who ask the same wait for one answer, whichever worker has them")
        func coalescing() throws {
            var rules = CacheRules()
            rules.listens = false
            let cache = UpstreamCache(rules)
            let rig = try Rig(workers: 3, answering: { _ in [] }, adjusting: { _, upstream in upstream.cache = cache })
            let clients = try (0..<24).map { _ in try rig.client() }
            for (number, client) in clients.enumerated() { client.send(Self.request(number)) }
            try eventually("all but one wait") { cache.answers.status.waiting == clients.count - 1 }
            try eventually("the server is asked") { !rig.replica.requests.isEmpty }
            #expect(rig.replica.requests.count == 1)
            let result = #"{"tools":[],"ttlMs":60000,"cacheScope":"public","resultType":"complete"}"#
            rig.replica.pushToAll(
                .answer(#"{"jsonrpc":"2.0","id":0,"result":\#(result)}"#, fields: "content-type: application/json\r\n"))
            for (number, client) in clients.enumerated() {
                let response = try client.response()
                let message = try #require(
                    try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any])
                #expect(response.status == 200)
                // Who fetches gets the server's answer as it is.
                let id = message["id"] as? Int
                #expect(id == number || id == 0, "client \(number) got \(id ?? -1)")
            }
            #expect(rig.replica.requests.count == 1 && cache.answers.status.waiting == 0)
            let late = try rig.client()
            late.send(Self.request(77))
            #expect(String(decoding: try late.response().body, as: UTF8.self).contains(#""id":77"#))
            #expect(rig.replica.requests.count == 1)
        }
    }
}
