import ASCII

extension RedisError {
    /// Reads the text of an error, without its type and its end.
    init(_ text: Span<UInt8>) {
        var end = 0
        while end < text.count, text[end] != UInt8(ascii: " ") { end += 1 }
        let word = text.extracting(0..<end)
        self =
            if word.equals("READONLY") {
                .readOnly
            } else if word.equals("LOADING") {
                .loading
            } else if word.equals("MASTERDOWN") {
                .masterDown
            } else if word.equals("CLUSTERDOWN") || word.equals("TRYAGAIN") {
                .clusterDown
            } else if word.equals("MOVED") || word.equals("ASK") || word.equals("CROSSSLOT") {
                .moved
            } else if word.equals("NOAUTH") || word.equals("WRONGPASS") || word.equals("NOPERM") {
                .denied
            } else if word.equals("OOM") {
                .outOfMemory
            } else if word.equals("MISCONF") || word.equals("NOREPLICAS") {
                .cannotWrite
            } else if word.equals("BUSY") {
                .busy
            } else if word.equals("NOSCRIPT") {
                .noScript
            } else if word.equals("NOPROTO") || text.has("ERR unknown command", at: 0) {
                .unknownCommand
            } else if text.has("ERR invalid password", at: 0) || text.has("ERR Client sent AUTH", at: 0)
                || text.has("ERR AUTH <password> called", at: 0)
            {
                .denied
            } else {
                .other
            }
    }
}
