import JSON

/// What a scanner says of a text: its whole tokens, and how it ended.
struct Reading: Equatable {
    enum Ending {
        case whole, unfinished, malformed
    }

    /// The first letter of the kind, and what stands in the token: `n:id` is the name `id`.
    var tokens: [String] = []
    var ending = Ending.whole

    /// Shows the text in pieces that begin at `cuts`.
    init(_ text: [UInt8], cutAt cuts: [Int] = []) {
        var scanner = JSONScanner()
        var token: (kind: JSONToken.Kind, text: [UInt8])?
        var start = 0
        for end in cuts + [text.count] {
            let piece = Array(text[start..<end])
            start = end
            scanner.beginPiece()
            do {
                while let part = try scanner.next(in: piece.span) {
                    token = (part.kind, (token?.text ?? []) + piece[part.range])
                    if part.isComplete { take(&token) }
                }
            } catch {
                ending = .malformed
                return
            }
        }
        if scanner.isComplete { take(&token) } else { ending = .unfinished }
    }

    private mutating func take(_ token: inout (kind: JSONToken.Kind, text: [UInt8])?) {
        if let token { tokens.append("\(token.kind):" + String(decoding: token.text, as: UTF8.self)) }
        token = nil
    }
}

/// Texts that are JSON, with the scanner's tokens.
let validTexts: [(text: String, tokens: [String])] = [
    ("{}", ["objectStart:{", "objectEnd:}"]),
    ("[]", ["arrayStart:[", "arrayEnd:]"]),
    (" \t\r\n[ ] \t\r\n", ["arrayStart:[", "arrayEnd:]"]),
    ("true", ["true:true"]), ("false", ["false:false"]), ("null", ["null:null"]),
    (#""""#, ["string:"]), (#" "id" "#, ["string:id"]),
    ("0", ["number:0"]), ("-0", ["number:-0"]), (" 12 ", ["number:12"]), ("-1.50", ["number:-1.50"]),
    ("0.0e0", ["number:0.0e0"]), ("1E+10", ["number:1E+10"]), ("10e-07", ["number:10e-07"]),
    (String(repeating: "9", count: 400), ["number:" + String(repeating: "9", count: 400)]),
    ("[0]", ["arrayStart:[", "number:0", "arrayEnd:]"]),
    (
        "[1,-2 , 3.5e1\n,true,false,null,\"a\"]",
        [
            "arrayStart:[", "number:1", "number:-2", "number:3.5e1", "true:true", "false:false", "null:null",
            "string:a", "arrayEnd:]",
        ]
    ),
    (
        #"{"a":{"b":[{}]},"c":[]}"#,
        [
            "objectStart:{", "name:a", "objectStart:{", "name:b", "arrayStart:[", "objectStart:{", "objectEnd:}",
            "arrayEnd:]", "objectEnd:}", "name:c", "arrayStart:[", "arrayEnd:]", "objectEnd:}",
        ]
    ),
    (#"{ "a" : 1 , "a":2}"#, ["objectStart:{", "name:a", "number:1", "name:a", "number:2", "objectEnd:}"]),
    (#"{"":""}"#, ["objectStart:{", "name:", "string:", "objectEnd:}"]),
    (
        #"{"}{][,:":"\"}\\"}"#,
        ["objectStart:{", "name:}{][,:", #"string:\"}\\"#, "objectEnd:}"]
    ),
    (#""\"\\\/\b\f\n\r\t""#, [#"string:\"\\\/\b\f\n\r\t"#]),
    (#""\u0000\uABCD\uabcd\u0041""#, [#"string:\u0000\uABCD\uabcd\u0041"#]),
    // Surrogates are not looked at: in pairs, alone, and the wrong way round.
    (#""\ud83d\ude00\ud83d\ude00\ud83d""#, [#"string:\ud83d\ude00\ud83d\ude00\ud83d"#]),
    ("\"é😀\u{7F}\u{2028} and more than eight bytes\"", ["string:é😀\u{7F}\u{2028} and more than eight bytes"]),
    (
        "[1" + String(repeating: " ", count: 30) + ",2" + String(repeating: " ", count: 16) + "]",
        ["arrayStart:[", "number:1", "number:2", "arrayEnd:]"]
    ),
]

/// Texts that are not JSON, and cannot become JSON by anything that follows.
let malformedTexts = [
    "x", "}", "]", ",", ":", "{]", "[}", "[1}", #"{"a":1]"#, "[]]", "{}}", "{} x", "1 2", "true false", "nullx",
    "\u{0}",
    "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1:2]", "[,", #"{"a":1,}"#, "{,", #"{"a" 1}"#, #"{"a"}"#, #"{"a":}"#,
    #"{"a",1}"#,
    #"{"a"::1}"#, "{1:2}", "{a:1}", "{true:1}", "{[]:1}", #"{"a":1 "b":2}"#, #"{"a":1:"b"}"#, "{'a':1}",
    "tru]", "[tRue]", "[nul]", "[falsy]", "TRUE", "NaN", "Infinity", "undefined",
    "01", "-01", "00", "+1", ".5", "1.e1", "[1.]", "[-]", "--1", "[1e]", "[1e+]", "1e+-1", "1.2.3", "1e1.0", "0x1",
    "1a",
    "-x", "[1-2]", "1ee", "[0e1e1]",
    #""\x""#, #""\u12g4""#, #""\u 123""#, #""\'""#, #""\U0041""#, "\"a\nb\"", "\"\t\"", "\"\u{0}\"",
    "\"more than eight bytes \u{1F} and more\"", "\u{FEFF}{}", "\u{A0}1", "/**/1", "[1]//", "\u{0B}1", "\u{0C}1",
]
