import FoundationEssentials
import Proxy

/// Documents as responses in JSON, with keys in snake case.
enum JSONPage {
    static func response(_ document: some Encodable, status: UInt16 = 200) -> AdminResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        guard let data = try? encoder.encode(document) else {
            return AdminResponse(status: 503, body: "cannot encode the document\n")
        }
        return AdminResponse(
            status: status, contentType: "application/json", body: String(decoding: data, as: UTF8.self) + "\n")
    }
}
