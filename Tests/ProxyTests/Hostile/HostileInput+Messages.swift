/// Messages that two readers read in two ways, or whose header fields say something else.
extension HostileInput {
    private static let mismatch = "400 header_mismatch, open"
    private static let ambiguous = "400 ambiguous_message, open"
    private static let unreadable = "400 unreadable_message, open"
    private static let meta = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#

    private static func body(_ method: String, _ params: String) -> String {
        #"{"jsonrpc":"2.0","id":7,"method":"\#(method)","params":{\#(params)}}"#
    }

    /// A message of 2026-07-28 for the route that checks.
    private static func modern(
        _ name: String, _ body: String, method: String = "tools/call", subject: String? = "read",
        version: String? = "2026-07-28", _ hears: String, reaches: [String] = []
    ) -> HostileInput {
        let fields =
            (version.map { "MCP-Protocol-Version: \($0)\r\n" } ?? "") + "Mcp-Method: \(method)\r\n"
            + (subject.map { "Mcp-Name: \($0)\r\n" } ?? "")
        return .post(name, body, to: "/checked", fields: fields, hears, reaches: reaches)
    }

    static let messages: [HostileInput] = [
        modern(
            "a message that agrees", body("tools/call", #""name":"read",\#(meta)"#), "200, open",
            reaches: ["POST /checked \(body("tools/call", #""name":"read",\#(meta)"#).prefix(40))"]),
        modern("another tool", body("tools/call", #""name":"delete",\#(meta)"#), mismatch),
        modern("another method", body("tools/list", meta), mismatch),
        modern(
            "a method with an escaped slash, and another tool",
            body(#"tools\/call"#, #""name":"delete",\#(meta)"#), mismatch),
        modern("a tool in capitals", body("tools/call", #""name":"READ",\#(meta)"#), mismatch),
        modern(
            "a tool in escapes that say something else", body("tools/call", #""name":"r\u0065ap",\#(meta)"#), mismatch),
        modern("no tool in the fields", body("tools/call", #""name":"read",\#(meta)"#), subject: nil, mismatch),
        modern(
            "a tool that is no base64", body("tools/call", #""name":"read",\#(meta)"#), subject: "=?base64?cmVhZ?=",
            mismatch),
        modern(
            "an older version in the field", body("tools/call", #""name":"read",\#(meta)"#), version: "2025-11-25",
            mismatch),
        modern("no version in the field", body("tools/call", #""name":"read",\#(meta)"#), version: nil, mismatch),
        modern(
            "a resource of another name", body("resources/read", #""uri":"file:///b",\#(meta)"#),
            method: "resources/read", subject: "file:///a", mismatch),
        modern(
            "a prompt of another name", body("prompts/get", #""name":"b",\#(meta)"#), method: "prompts/get",
            subject: "a", mismatch),
        modern(
            "the method twice", #"{"id":7,"method":"tools/call","method":"tools/list","params":{"name":"read"}}"#,
            ambiguous),
        modern(
            "the method in two spellings",
            #"{"id":7,"method":"tools/call","m\u0065thod":"x","params":{"name":"read"}}"#, ambiguous),
        modern(
            "Method beside method", #"{"id":7,"method":"tools/call","Method":"x","params":{"name":"read"}}"#,
            ambiguous),
        modern(
            "params twice", #"{"id":7,"method":"tools/call","params":{"name":"read"},"params":{"name":"delete"}}"#,
            ambiguous),
        modern(
            "Params beside params",
            #"{"id":7,"method":"tools/call","params":{"name":"read"},"Params":{"name":"delete"}}"#, ambiguous),
        modern("the tool twice", body("tools/call", #""name":"read","name":"delete",\#(meta)"#), ambiguous),
        modern("Name beside name", body("tools/call", #""name":"read","Name":"delete",\#(meta)"#), ambiguous),
        modern(
            "a name that ends at a NUL", body("tools/call", #""name":"read","name\u0000":"delete",\#(meta)"#),
            ambiguous),
        modern("a tool that ends at a NUL", body("tools/call", #""name":"read\u0000x",\#(meta)"#), ambiguous),
        modern("a tool with half of a surrogate pair", body("tools/call", #""name":"read\ud800",\#(meta)"#), ambiguous),
        modern("_meta twice", body("tools/call", #""name":"read",\#(meta),"_meta":{}"#), ambiguous),
        modern("the id twice", #"{"id":7,"id":8,"method":"tools/call","params":{"name":"read"}}"#, ambiguous),
        modern("params with a long s", #"{"id":7,"method":"tools/call","param\u017f":{"name":"read"}}"#, ambiguous),
        modern("a batch", "[\(body("tools/call", #""name":"delete",\#(meta)"#))]", ambiguous),
        modern("an empty batch", "[]", ambiguous),
        modern("a number", "7", ambiguous),
        modern("an empty object", "{}", ambiguous),
        modern("a method that is no text", #"{"id":7,"method":{"a":1}}"#, ambiguous),
        modern("no body", "", unreadable),
        modern("two messages", body("ping", meta) + body("tools/call", #""name":"delete",\#(meta)"#), unreadable),
        modern("a byte order mark", "\u{EF}\u{BB}\u{BF}" + body("tools/call", #""name":"read",\#(meta)"#), unreadable),
        modern("UTF-16", "\u{FF}\u{FE}{\0}\0", unreadable),
        modern("a NUL behind the message", body("tools/call", #""name":"read",\#(meta)"#) + "\0", unreadable),
        modern("a byte that is no UTF-8", body("tools/call", "\"name\":\"read\u{FF}\",\(meta)"), unreadable),
        modern(
            "a letter in more bytes than it needs", body("tools/call", "\"n\u{C1}\u{A1}me\":\"x\",\(meta)"), unreadable),
        modern("a comment", #"{"id":7,/*"#, unreadable),
        modern("a comma too much", #"{"id":7,"method":"tools/call",}"#, unreadable),
        modern("a number with a leading zero", #"{"id":07,"method":"tools/call"}"#, unreadable),
        modern("10,000 brackets", String(repeating: "[", count: 10_000), unreadable),
        modern(
            "10,000 nested objects",
            body(
                "tools/call",
                "\"name\":\"read\",\"arguments\":"
                    + String(repeating: #"{"a":"#, count: 6_000) + "1" + String(repeating: "}", count: 6_000)),
            unreadable),
        modern(
            "70,000 bytes",
            body("tools/call", "\"name\":\"read\",\"x\":\"\(String(repeating: "y", count: 70_000))\",\(meta)"),
            "413 too_large_to_check, closed"),
        modern(
            "an id of 400 digits",
            #"{"id":\#(String(repeating: "9", count: 400)),"method":"tools/list","params":{\#(meta)}}"#,
            mismatch),
        modern(
            "an exponent that no number holds", #"{"id":1e999999999,"method":"tools/list","params":{\#(meta)}}"#,
            mismatch),
    ]

    /// Sessions of others, and ids that were made up.
    static let sessions: [HostileInput] = [
        session("a session's own id", "@SESSION@", "200, open", reaches: ["POST /mcp session=sid1 {}"]),
        session("an id with a bit flipped", "@FLIPPED@", gone), session("an id without its end", "@CUT@", gone),
        session("an id with a character more", "@LONGER@", gone),
        session("an id signed with another key", "@FOREIGN@", gone),
        session("the id that the server knows", "sid1", gone),
        session("an id of a later version", "b2.AAAA.sid1", gone), session("a prefix alone", "b1.", gone),
        session("an empty id", "", gone),
        session("an id with a path in it", "../../etc/passwd", gone),
        session("an id of 90,000 bytes", String(repeating: "a", count: 60_000), gone),
        session("an id with a space", "a b", gone), session("an id with a byte above 0x7F", "a\u{E9}", gone),
        session("two ids in one field", "@SESSION@, @SESSION@", gone),
        session("an id in quotes", "\"@SESSION@\"", gone),
        HostileInput(
            "a DELETE of a session that was made up",
            "DELETE /mcp HTTP/1.1\r\nHost: mcp.test\r\nMcp-Session-Id: @FLIPPED@\r\n\r\n", gone),
        .get(
            "a stream of a session that was made up",
            "Accept: text/event-stream\r\nMcp-Session-Id: @FLIPPED@\r\n", gone),
        .get(
            "a stream that goes on in a session that was made up",
            "Accept: text/event-stream\r\nLast-Event-ID: 7\r\nMcp-Session-Id: @FOREIGN@\r\n", gone),
        .post(
            "an endpoint's signature that was made up", "{}",
            to: "/messages?session_id=1&_berth=b1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "404, open"),
        .post(
            "a session's id as an endpoint's signature", "{}", to: "/messages?session_id=1&_berth=@SESSION@",
            "404, open"),
    ]

    private static let gone = "404 session_gone, open"

    private static func session(_ name: String, _ id: String, _ hears: String, reaches: [String] = []) -> HostileInput {
        .post(name, "{}", fields: "Mcp-Session-Id: \(id)\r\n", hears, reaches: reaches)
    }
}
