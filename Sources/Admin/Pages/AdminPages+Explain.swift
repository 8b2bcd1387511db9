import ASCII
import FoundationEssentials
import Kernel
import Proxy

/// What becomes of a request, and whose a session is.
extension AdminPages {
    /// `POST /explain`: the body is an HTTP request as text; `client` in the query is the address that it comes from.
    func explanation(_ request: AdminRequest) -> AdminResponse {
        let items = URLComponents(string: "?" + request.query)?.queryItems ?? []
        return explanation(of: request.body, from: items.first { $0.name == "client" }?.value)
    }

    /// Explains a request that comes from `client`, an IP address.
    func explanation(of request: [UInt8], from client: String?) -> AdminResponse {
        var address: SocketAddress?
        if let client {
            address = SocketAddress(literal: client, port: 0)
            guard address != nil else { return AdminResponse(status: 400, body: "\(client) is no IP address\n") }
        }
        do throws(RequestExplainer.Fault) {
            return JSONPage.response(try RequestExplainer(proxy).explain(request, from: address))
        } catch {
            return AdminResponse(status: 400, body: "\(error)\n")
        }
    }

    /// `POST /whose`: the body is the id of a session. The answer has nothing by which the session could be taken over.
    func whose(_ request: AdminRequest) -> AdminResponse {
        let id = String(decoding: request.body, as: UTF8.self).trimmed
        guard !id.isEmpty else { return AdminResponse(status: 400, body: "the body is to be the id of a session\n") }
        return JSONPage.response(RequestExplainer(proxy).sessions.facts(of: id))
    }
}
