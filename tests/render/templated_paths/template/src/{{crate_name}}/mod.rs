{{dir}}
