import Configuration
import Foundation
import Testing

@testable import Import

@Suite("nginx's grammar")
struct NginxGrammarTests {
    private func words(_ text: String) throws -> [String] {
        var lexer = NginxLexer(Array(text.utf8), file: "nginx.conf")
        var words: [String] = []
        while true {
            switch try lexer.next() {
            case .word(let word): words.append(word.text)
            case .semicolon: words.append(";")
            case .open: words.append("{")
            case .close: words.append("}")
            case .end: return words
            }
        }
    }

    @Test(
        "Text is read as nginx reads it",
        arguments: [
            ("listen 443 ssl;", ["listen", "443", "ssl", ";"]),
            ("a{b;}", ["a", "{", "b", ";", "}"]),
            ("a # comment; { }\n;", ["a", ";"]),
            ("a#b;", ["a#b", ";"]),
            ("return 200 \"a b\\\"c\";", ["return", "200", "a b\"c", ";"]),
            ("return 200 'it''s';", nil),
            ("x 'a;b{c}';", ["x", "a;b{c}", ";"]),
            ("set $a ${host}:80;", ["set", "$a", "${host}:80", ";"]),
            ("set $a pre${b}post;", ["set", "$a", "pre${b}post", ";"]),
            ("rewrite ^/a\\.b$ /c;", ["rewrite", "^/a\\.b$", "/c", ";"]),
            ("x a\\;b;", ["x", "a\\;b", ";"]),
            ("x \"\\t\\n\\\\\";", ["x", "\t\n\\", ";"]),
            ("x \"\";", ["x", "", ";"]),
            ("if ($x = \"y\") { }", ["if", "($x", "=", "y", "{", "}"]),
            ("location ~ ^/(a|b)$ {", ["location", "~", "^/(a|b)$", "{"]),
            ("a\r\n  b;\r\n", ["a", "b", ";"]),
            ("\u{feff}a;", ["a", ";"]),
            ("", []),
            ("# only a comment", []),
            ("x ü€;", ["x", "ü€", ";"]),
        ] as [(String, [String]?)])
    func lexing(text: String, expected: [String]?) throws {
        guard let expected else {
            #expect(throws: ConfigurationErrors.self) { try words(text) }
            return
        }
        #expect(try words(text) == expected)
    }

    @Test(
        "What is wrong is told with its place",
        arguments: [
            ("server {\n  listen 80\n}\n", "2:12: there is no \";\" before the \"}\""),
            ("server {\n  listen 80;\n", "1:8: this block is never closed"),
            ("server { listen 80; } }\n", "1:23: unexpected \"}\""),
            ("a;\n;\n", "2:1: unexpected \";\""),
            ("{ }", "1:1: unexpected \"{\""),
            ("server {\n\tadd_header X \"abc;\n}\n", "2:15: this quote is never closed"),
            ("x \"a\"b;", "1:6: this cannot follow a closing quote"),
            ("server { listen 80; }\nuser", "2:1: this directive is not ended"),
            ("include;", "1:1: this includes nothing"),
            ("a\u{0}b;", "1:2: a NUL character in text"),
        ])
    func errors(text: String, expected: String) throws {
        do {
            _ = try imported(text)
            Issue.record("it was read")
        } catch let error as ConfigurationErrors {
            let found = try #require(error.errors.first)
            #expect("\(found.line):\(found.column): \(found.message)" == expected)
            #expect(!found.reason.isEmpty && found.file == "nginx.conf")
        }
    }

    @Test("An error is shown with its line and a caret")
    func rendering() throws {
        let error = try #require(throws: ConfigurationErrors.self) {
            _ = try imported("http {\n    upstream mcp { server a:1 }\n}\n")
        }
        #expect(
            error.description == """
                nginx.conf:2:30: error: there is no ";" before the "}"
                  2 |     upstream mcp { server a:1 }
                    |                              ^ the directive "server" is not ended
                help: write ";" here

                """)
    }

    @Test(
        "Files are included in their order, relative to the first file or the folder above, and as often as they are named"
    )
    func includes() throws {
        let files = SourceFiles.texts([
            "/etc/nginx/conf.d/b.conf": "server { listen 81; location / { proxy_pass http://b:1; } }",
            "/etc/nginx/conf.d/a.conf": "server { listen 81; location /a { proxy_pass http://a:1; } }",
            "/etc/nginx/conf.d/.hidden.conf": "nonsense",
            "/etc/nginx/snippets/p.conf": "proxy_buffering off;",
        ])
        let parsed = try NginxParser.parse(
            Array("include conf.d/*.conf; include snippets/p.conf; include none/*.conf; include absent.conf;".utf8),
            file: "/etc/nginx/sites-enabled/mcp", files: files)

        #expect(
            parsed.map(\.name) == ["include", "server", "server", "include", "proxy_buffering", "include", "include"])
        #expect(parsed.map(\.inclusion) == [.files(2), nil, nil, .files(1), nil, .files(0), .missing])
        #expect(parsed[1].statement.file == "/etc/nginx/conf.d/a.conf")
        #expect(Set(parsed.map(\.statement.id)).count == parsed.count)
    }

    @Test("Files that include themselves, or thousands of others, are refused")
    func endlessIncludes() {
        #expect(throws: ConfigurationErrors.self) {
            try imported("include a.conf;", files: ["a.conf": "include a.conf;"])
        }
        let many = (0..<300).map { ("p\($0).conf", "x;") }
        #expect(throws: ConfigurationErrors.self) {
            try imported("include p*.conf;", files: Dictionary(uniqueKeysWithValues: many))
        }
        // Two to the power of eight files, if each were followed.
        let branching = Dictionary(
            uniqueKeysWithValues: (0..<9).map {
                ("l\($0).conf", String(repeating: "include l\($0 + 1).conf;", count: 4))
            })
        #expect(throws: ConfigurationErrors.self) { try imported("include l0.conf;", files: branching) }
    }

    @Test("Depth, words and directives are bounded")
    func bounds() {
        let deep = String(repeating: "a {", count: 100) + String(repeating: "}", count: 100)
        #expect(throws: ConfigurationErrors.self) { try imported(deep) }
        #expect(throws: ConfigurationErrors.self) { try imported("x " + String(repeating: "y ", count: 5_000) + ";") }
        #expect(throws: ConfigurationErrors.self) { try imported(String(repeating: "x;", count: 60_000)) }
        #expect(throws: ConfigurationErrors.self) { try imported(String(repeating: "#\n", count: 1 << 20)) }
    }

    @Test("Lua in a block is skipped")
    func lua() throws {
        let found = try imported(
            """
            server {
                listen 80;
                location / {
                    access_by_lua_block { if x then { y = "}" .. "{" } end }
                    proxy_pass http://a:1;
                }
            }
            """)
        #expect(found.hasLosses && found.text.contains("access_by_lua_block"))
    }

    @Test(
        "A pattern matches names as a shell does",
        arguments: [
            ("*.conf", "a.conf", true), ("*.conf", "a.conf.bak", false), ("site-?", "site-1", true),
            ("site-?", "site-12", false),
            ("*a*b*", "xaxbx", true), ("*", "", true), ("a", "a", true), ("a", "b", false), ("**", "x", true),
            ("?", "", false),
        ])
    func patterns(pattern: String, name: String, matches: Bool) {
        #expect(ImportPath.matches(Array(name.utf8), Array(pattern.utf8)) == matches)
    }

    @Test("What nginx -T prints is read as the files that it was")
    func dump() throws {
        let found = try ConfigurationImport(
            Array(
                """
                nginx: the configuration file /etc/nginx/nginx.conf syntax is ok
                # configuration file /etc/nginx/nginx.conf:
                events {}
                http { include /etc/nginx/conf.d/*.conf; }

                # configuration file /etc/nginx/conf.d/mcp.conf:
                server { listen 8080; location / { proxy_pass http://mcp:3001; } }

                """.utf8), file: "standard input", files: .none)
        #expect(found.text.contains("# /etc/nginx/conf.d/mcp.conf:1  server"))
        #expect(found.text.contains("http = \":8080\""))
    }
}
