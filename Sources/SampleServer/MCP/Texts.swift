import JSON

/// The fixed parts of responses, some of them with the server's name.
struct Texts {
    /// `{"name":…,"version":…}`.
    let serverInfo: [UInt8]
    /// The answer of `whoami` up to the number, as the beginning of a JSON string with its opening quote.
    let whoami: [UInt8]
    /// Spaces that fill a tool's result up to `Options.replyBytes`.
    let spaces: [UInt8]

    /// The member of periodic events that names the server; empty if they do not.
    let eventReplica: [UInt8]

    init(name: String, product: String?, spaces: Int) {
        let quoted = JSONString.quoted(name)
        eventReplica = product == nil ? [] : Array(",\"replica\":\(quoted)".utf8)
        self.spaces = Array(repeating: UInt8(ascii: " "), count: spaces)
        serverInfo = Array("{\"name\":\(JSONString.quoted(product ?? name)),\"version\":\"0.1.0\"}".utf8)
        whoami = Array(JSONString.quoted("{\"replica\":\(quoted),\"calls\":").dropLast().utf8)
    }

    static let tools: StaticString = """
        "tools":[\
        {"name":"echo","description":"Says the text again.","inputSchema":{"type":"object","properties":\
        {"text":{"type":"string"}},"required":["text"]},"annotations":{"readOnlyHint":true}},\
        {"name":"whoami","description":"Names the replica and counts the session's calls; without a session, the \
        replica's.","inputSchema":{"type":"object","properties":{}},"annotations":{"readOnlyHint":true}},\
        {"name":"record","description":"Answers as whoami does, and is not declared read-only.","inputSchema":\
        {"type":"object","properties":{}}},\
        {"name":"sleep","description":"Answers later.","inputSchema":{"type":"object","properties":\
        {"milliseconds":{"type":"integer","minimum":0,"maximum":600000}},"required":["milliseconds"]},\
        "annotations":{"readOnlyHint":true}},\
        {"name":"count","description":"Counts up, with a progress notification for each number.","inputSchema":\
        {"type":"object","properties":{"to":{"type":"integer","minimum":0,"maximum":1000000},\
        "intervalMilliseconds":{"type":"integer","minimum":0,"maximum":600000}},"required":["to"]},\
        "annotations":{"readOnlyHint":true}},\
        {"name":"bytes","description":"A text of n letters.","inputSchema":{"type":"object","properties":\
        {"n":{"type":"integer","minimum":0,"maximum":4294967296}},"required":["n"]},\
        "annotations":{"readOnlyHint":true}}]
        """
}
