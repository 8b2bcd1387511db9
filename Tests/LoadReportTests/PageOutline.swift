import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The elements, attributes and text that a strict XML parser finds in a page. Pages are also well-formed XML.
final class PageOutline: NSObject, XMLParserDelegate {
    private(set) var names: [String: Int] = [:]
    /// All attributes as `name=value`.
    private(set) var attributes: [String] = []
    private(set) var ids: [String] = []
    /// Ids that other elements refer to.
    private(set) var references: [String] = []
    private(set) var text = ""
    /// Charts with a title and a description.
    private(set) var labelledCharts = 0

    struct Malformed: Error {
        var line: Int
        var reason: String
    }

    init(_ html: String) throws {
        super.init()
        let parser = XMLParser(data: Data(html.utf8))
        parser.delegate = self
        guard parser.parse() else {
            throw Malformed(
                line: parser.lineNumber, reason: parser.parserError.map { "\($0)" } ?? "without a reason")
        }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes found: [String: String]
    ) {
        names[name, default: 0] += 1
        attributes += found.map { "\($0.key)=\($0.value)" }
        if let id = found["id"] { ids.append(id) }
        let labels = found["aria-labelledby"]?.split(separator: " ").map(String.init) ?? []
        references += labels
        if name == "svg", found["role"] == "img", labels.count == 2 { labelledCharts += 1 }
    }

    func parser(_ parser: XMLParser, foundCharacters characters: String) { text += characters }
}
