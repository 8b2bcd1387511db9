import Testing

@testable import Configuration

@Suite("Key locator")
struct KeyLocatorTests {
    /// Every key and value with its position, as "path line:column text".
    private func places(_ text: String) -> [String] {
        let source = SourceText(text, file: "")
        let tree = KeyLocator(source.bytes).tree
        var found: [String] = []
        func show(_ range: Range<Int>) -> String {
            let offset = range.lowerBound
            return "\(source.line(of: offset)):\(source.column(of: offset)) \(source.text(range))"
        }
        func walk(_ index: Int, _ path: String) {
            for name in tree[index].names {
                guard let entry = tree[index].entries[name] else { continue }
                let here = path.isEmpty ? name : "\(path)/\(name)"
                if let key = tree[entry].key { found.append("\(here) @ \(show(key)) = \(show(tree[entry].value))") }
                walk(entry, here)
            }
            for (position, element) in tree[index].elements.enumerated() {
                found.append("\(path)#\(position) = \(show(tree[element].value))")
                walk(element, "\(path)#\(position)")
            }
        }
        walk(tree.root, "")
        return found
    }

    static let cases: [(String, [String])] = [
        ("a=1", ["a @ 1:1 a = 1:3 1"]),
        ("# c\n\n  a = 1 # b = 2", ["a @ 3:3 a = 3:7 1"]),
        ("\u{FEFF}a = 1", ["a @ 1:2 a = 1:6 1"]),
        ("a.b.c = true", ["a @ 1:1 a = 1:1 a", "a/b @ 1:3 b = 1:3 b", "a/b/c @ 1:5 c = 1:9 true"]),
        ("a . \"b.c\" = 1", ["a @ 1:1 a = 1:1 a", "a/b.c @ 1:5 \"b.c\" = 1:13 1"]),
        ("'x\\y' = '#not a comment'", ["x\\y @ 1:1 'x\\y' = 1:9 '#not a comment'"]),
        (#""\u00e9\t" = "\"]""#, ["\u{e9}\t @ 1:1 \"\\u00e9\\t\" = 1:14 \"\\\"]\""]),
        ("[t]\nk = 2", ["t @ 1:2 t = 1:1 [t]", "t/k @ 2:1 k = 2:5 2"]),
        ("[ a . b ]\nk = 2", ["a @ 1:3 a = 1:3 a", "a/b @ 1:7 b = 1:1 [ a . b ]", "a/b/k @ 2:1 k = 2:5 2"]),
        ("[a.b]\n[a]\nk = 1", ["a @ 2:2 a = 2:1 [a]", "a/b @ 1:4 b = 1:1 [a.b]", "a/k @ 3:1 k = 3:5 1"]),
        (
            "[[r]]\nk = 1\n[[r]]\nk = 2\n[r.s]\nx = 3",
            [
                "r @ 1:3 r = 1:1 [[r]]", "r#0 = 1:1 [[r]]", "r#0/k @ 2:1 k = 2:5 1", "r#1 = 3:1 [[r]]",
                "r#1/k @ 4:1 k = 4:5 2", "r#1/s @ 5:4 s = 5:1 [r.s]", "r#1/s/x @ 6:1 x = 6:5 3",
            ]
        ),
        (
            "s = [ # one\n  \"a]\",\n  { x = 1, y = [ [2], 'z' ] }, # two ]\n]\nt = 1",
            [
                "s @ 1:1 s = 1:5 [ # one\n  \"a]\",\n  { x = 1, y = [ [2], 'z' ] }, # two ]\n]",
                "s#0 = 2:3 \"a]\"", "s#1 = 3:3 { x = 1, y = [ [2], 'z' ] }", "s#1/x @ 3:5 x = 3:9 1",
                "s#1/y @ 3:12 y = 3:16 [ [2], 'z' ]", "s#1/y#0 = 3:18 [2]", "s#1/y#0#0 = 3:19 2",
                "s#1/y#1 = 3:23 'z'", "t @ 5:1 t = 5:5 1",
            ]
        ),
        (
            "a = { b.c = 1, \"d\" = {} }",
            [
                "a @ 1:1 a = 1:5 { b.c = 1, \"d\" = {} }", "a/b @ 1:7 b = 1:7 b", "a/b/c @ 1:9 c = 1:13 1",
                "a/d @ 1:16 \"d\" = 1:22 {}",
            ]
        ),
        (
            "a = \"\"\"\n[no]\nk = \\\"\"\" \"\"\"\"\"\nb = '''x''''\nc = 1",
            [
                "a @ 1:1 a = 1:5 \"\"\"\n[no]\nk = \\\"\"\" \"\"\"\"\"", "b @ 4:1 b = 4:5 '''x''''",
                "c @ 5:1 c = 5:5 1",
            ]
        ),
        (
            "d = 1979-05-27 07:32:00 # then\nn = -1_0.5e+3",
            ["d @ 1:1 d = 1:5 1979-05-27 07:32:00", "n @ 2:1 n = 2:5 -1_0.5e+3"]
        ),
        ("a = 1\r\nb = \"\"\r\n", ["a @ 1:1 a = 1:5 1", "b @ 2:1 b = 2:5 \"\""]),
        ("\"größe\" = \"ü\" # é\nb = 1", ["größe @ 1:1 \"größe\" = 1:11 \"ü\"", "b @ 2:1 b = 2:5 1"]),
    ]

    @Test("Finds keys and values in every TOML syntax", arguments: cases)
    func forms(_ text: String, _ expected: [String]) throws {
        #expect(places(text) == expected)
        #expect(throws: Never.self) { try TOMLDocument(SourceText(text, file: "")) }
    }

    @Test("Every value of the parser has the position of its own text")
    func agreesWithTheParser() throws {
        let text = "i = 12\nb = [true, \"x\", { k = 'y' }]\n[t.'u v']\nf = 1.5\nm = \"\"\"two\nlines\"\"\"\n"
        let source = SourceText(text, file: "")

        let root = try TOMLDocument(source).root

        func check(_ value: LocatedValue) {
            let raw = source.text(value.range)
            switch value.content {
            case .integer(let number): #expect(raw == "\(number)")
            case .float(let number): #expect(raw == "\(number)")
            case .boolean(let flag): #expect(raw == "\(flag)")
            case .string(let text): #expect(raw.contains(text) && !raw.hasPrefix(" "))
            case .date: Issue.record("no date was written")
            case .array(let values): values.forEach(check)
            case .table(let table): table.entries.map(\.value).forEach(check)
            }
        }
        #expect(root.entries.map(\.name) == ["i", "b", "t"])
        root.entries.map(\.value).forEach(check)
    }

    @Test(
        "Ends on text that is not TOML",
        arguments: [
            "[", "[[[", "[=]", "[[%a]]", "[ #", "a = 1\n[\n", "a = \n[=", "[]", "[[]]", "a = [}", "a = [1, } ]",
            "a = [[{}, }]]", "a = [\u{2028}]", "a = [\u{85}]", "a = [\u{A0}]", "a = [#", "a", "a=", "=", "\"", "'''",
            "a={", "a=[{", "\\", "a.=", "[a", "]", "}",
        ])
    func garbage(_ text: String) {
        _ = KeyLocator(Array(text.utf8))
        #expect(throws: SyntaxError.self) { try TOMLDocument(SourceText(text, file: "")) }
    }

    @Test("Rejects deeply nested tables")
    func depth() {
        let dotted = String(repeating: "a.", count: 5_000) + "a = 1"
        let nested = "a = " + String(repeating: "[", count: 200) + String(repeating: "]", count: 200)

        #expect(throws: SyntaxError.self) { try TOMLDocument(SourceText(dotted, file: "")) }
        #expect(throws: SyntaxError.self) { try TOMLDocument(SourceText(nested, file: "")) }
    }
}
