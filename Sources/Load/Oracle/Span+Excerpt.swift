extension Span<UInt8> {
    /// A copy of the bytes.
    var bytesArray: [UInt8] { indices.map { self[$0] } }

    /// As text for people: at most so many bytes of it.
    func excerpt(_ limit: Int = 120) -> String {
        String(decoding: extracting(first: limit).bytesArray, as: UTF8.self) + (count > limit ? "…" : "")
    }
}
